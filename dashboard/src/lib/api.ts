import { csrf } from './credentials'

export interface FieldError {
  loc: readonly (string | number)[]
  msg: string
  type: string
}

export interface Page {
  limit: number
  next: string | null
  total?: number
}

export interface Answer<T> {
  data: T
  page?: Page
}

/** The members of a refusal that the page makes use of; an unreachable server has status 0. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | null
  readonly errors: readonly FieldError[]
  readonly retryAfterSeconds: number | null
  /** What the scheduler says in words of its own, in English. */
  readonly said: string

  constructor(status: number, problem: Partial<Problem> = {}, retryAfter: string | null = null) {
    super(problem.title ?? problem.error_message ?? `HTTP ${status}`)
    this.status = status
    this.code = problem.code ?? ''
    this.requestId = problem.request_id ?? null
    this.errors = problem.errors ?? []
    this.said = problem.error_message ?? ''
    const seconds = Number.parseInt(retryAfter ?? '', 10)
    this.retryAfterSeconds = Number.isFinite(seconds) ? seconds : null
  }
}

/** Problem details (RFC 9457) under /api, and what Flask-APScheduler's clients know under /scheduler. */
interface Problem {
  title: string
  error_message: string
  code: string
  request_id: string
  errors: FieldError[]
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Call `/api/v1` and give what the envelope holds; raise an `ApiError` for everything else. */
export async function call<T>(method: Method, path: string, body?: unknown): Promise<Answer<T>> {
  const response = await send(method, `/api/v1${path}`, body)
  return response.status === 204 ? { data: undefined as T } : ((await response.json()) as Answer<T>)
}

/** Send a request that shows the page is ours, and give the answer; raise an `ApiError` for a refusal. */
export async function send(method: Method, url: string, body?: unknown, more?: HeadersInit): Promise<Response> {
  const headers = new Headers({ Accept: 'application/json', ...more })
  const token = csrf()
  if (token !== null) headers.set('X-CSRF-Token', token)
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (body !== undefined) {
    headers.set('Content-Type', 'application/json')
    init.body = JSON.stringify(body)
  }
  const response = await fetch(url, init).catch(() => {
    throw new ApiError(0)
  })
  if (!response.ok) throw await refusal(response)
  return response
}

async function refusal(response: Response): Promise<ApiError> {
  const isJson = /^application\/(problem\+)?json\b/.test(response.headers.get('Content-Type') ?? '')
  const problem = isJson ? ((await response.json().catch(() => ({}))) as Partial<Problem>) : {}
  return new ApiError(response.status, problem, response.headers.get('Retry-After'))
}
