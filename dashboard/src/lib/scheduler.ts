import { send, type Method } from './api'

/** A job as `/scheduler` shows it; of the trigger's fields only those it has. */
export interface Job {
  id: string
  name: string
  func: string
  args: unknown[]
  kwargs: Record<string, unknown>
  trigger: string
  next_run_time: string | null
  state: 'scheduled' | 'paused' | 'ended' | 'quarantined'
  source: 'code' | 'api'
  version: number
  paused_by: string | null
  reason: string | null
  coalesce: boolean
  max_instances: number
  misfire_grace_time: number | null
  crontab?: string
  in_words?: string
  run_date?: string
  timezone?: string
  description?: string | null
  tags?: string[]
  run_id?: string
  [field: string]: unknown
}

export interface Run {
  id: string
  job_id: string
  status: string
  cause: string
  requested_by: string | null
  reason: string | null
  fires: number
  attempts: number
  scheduled_at: string
  started_at: string | null
  finished_at: string | null
  error_type: string | null
  error_message: string | null
  host: string | null
  process: number | null
}

export interface Attempt {
  number: number
  status: string
  host: string
  process: number
  started_at: string | null
  finished_at: string | null
  reason: string | null
  error_type: string | null
  error_message: string | null
  traceback: string | null
  memory_peak: number | null
  memory_shared: boolean | null
  task_id: string | null
}

export interface RunDetail extends Run {
  history: Attempt[]
  result: unknown
  stop_reason: string | null
}

export interface Output {
  text: string
  next: number
  ended: boolean
}

export interface Schema {
  type?: string
  format?: string
  title?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  const?: unknown
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  maxLength?: number
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  $ref?: string
  $defs?: Record<string, Schema>
}

export interface JobFunction {
  name: string
  reference: string
  summary: string
  parameters: Schema
}

export interface Change {
  version: number
  action: string
  by: string | null
  at: string
}

export interface Preview {
  fires: { at: string; local: Record<string, string> }[]
  cautions: { kind: string; message: string }[]
}

export interface Info {
  running: boolean
  state: 'running' | 'paused' | 'stopped'
  leader: { host: string; process: number } | null
}

/** Call `/scheduler`, whose answers are bare; raise an `ApiError` for a refusal. */
export async function schedule<T>(method: Method, path: string, body?: unknown, headers?: HeadersInit): Promise<T> {
  const response = await send(method, `/scheduler${path}`, body, headers)
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T)
}

/** Give the path of a job or a run, whatever characters its id has. */
export function at(kind: 'jobs' | 'runs', id: string, rest = ''): string {
  return `/${kind}/${encodeURIComponent(id)}${rest}`
}

/** Ask for a run now; asked twice with one key, as by an impatient click, it is one run. */
export function runNow(id: string, key: string): Promise<Job> {
  return schedule<Job>('POST', at('jobs', id, '/run'), undefined, { 'Idempotency-Key': `"${key}"` })
}

/** Whether a run may still change. */
export function isOpen(status: string): boolean {
  return status === 'queued' || status === 'running' || status === 'held'
}
