import { call, type Page } from './api'
import { share } from './format'
import { isKey, t } from './i18n'
import type { Schema } from './scheduler'

export const STATES = ['scheduled', 'queued', 'running', 'done', 'failed', 'dead', 'cancelled', 'expired'] as const

/** A task as `/api/v1/task` and `task_progress` show it. */
export interface Task {
  id: string
  name: string
  queue: string
  priority: number
  state: string
  current: number
  total: number
  status: string
  result: unknown
  error: { type: string; message: string; traceback: string | null } | null
  attempt: number
  failures: number
  losses: number
  host: string | null
  process: number | null
  created_by: string | null
  created_at: string
  started_at: string | null
  finished_at: string | null
  due_at: string | null
}

export interface Startable {
  name: string
  summary: string
  parameters: Schema
}

export interface Listed {
  tasks: Task[]
  page: Page | undefined
  /** When it was asked for, in milliseconds; what was told later is newer. */
  askedAt: number
}

/** List the newest tasks, or those that follow; `state` is empty for all. */
export async function list(state: string, after: string): Promise<Listed> {
  const query = new URLSearchParams({ limit: '20' })
  if (state !== '') query.set('state', state)
  if (after !== '') query.set('after', after)
  const askedAt = performance.now()
  const { data, page } = await call<Task[]>('GET', `/task?${query}`)
  return { tasks: data, page, askedAt }
}

export async function show(id: string): Promise<Listed> {
  const askedAt = performance.now()
  const { data } = await call<Task>('GET', at(id))
  return { tasks: [data], page: undefined, askedAt }
}

export function cancel(id: string): Promise<unknown> {
  return call('POST', at(id, '/cancel'))
}

export function retry(id: string): Promise<unknown> {
  return call('POST', at(id, '/retry'))
}

/** Whether a task may still change by itself. */
export function isOpen(task: Task): boolean {
  return task.finished_at === null
}

/** Whether a task that has ended can be tried again. */
export function isRetryable(task: Task): boolean {
  return ['failed', 'dead', 'cancelled', 'expired'].includes(task.state)
}

/** Say where a task is, in its own words, which may be in any language; nothing where its state says as much. */
export function said(task: Task): string {
  const waiting = `waiting.${task.state}`
  if (isKey(waiting) && /^Waiting for (a worker|its time)$/.test(task.status)) return t(waiting)
  return task.status.toLowerCase() === task.state ? '' : task.status
}

/** Say how far a task is. */
export function steps({ current, total }: Task): string {
  return t('tasks.steps', { current, total, share: share(current / total) })
}

function at(id: string, rest = ''): string {
  return `/task/${encodeURIComponent(id)}${rest}`
}
