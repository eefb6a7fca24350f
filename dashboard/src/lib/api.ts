import { token } from './credentials'

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

/** The members of problem+json (RFC 9457) that the page makes use of; an unreachable server has status 0. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | null
  readonly errors: readonly FieldError[]
  readonly retryAfterSeconds: number | null

  constructor(status: number, problem: Partial<Problem> = {}, retryAfter: string | null = null) {
    super(problem.title ?? `HTTP ${status}`)
    this.status = status
    this.code = problem.code ?? ''
    this.requestId = problem.request_id ?? null
    this.errors = problem.errors ?? []
    const seconds = Number.parseInt(retryAfter ?? '', 10)
    this.retryAfterSeconds = Number.isFinite(seconds) ? seconds : null
  }
}

interface Problem {
  title: string
  code: string
  request_id: string
  errors: FieldError[]
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Call `/api/v1` and give what the envelope holds; raise an `ApiError` for everything else. */
export async function call<T>(method: Method, path: string, body?: unknown): Promise<Answer<T>> {
  const headers = new Headers({ Accept: 'application/json' })
  const bearer = token()
  if (bearer !== null) headers.set('Authorization', `Bearer ${bearer}`)
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (body !== undefined) {
    headers.set('Content-Type', 'application/json')
    init.body = JSON.stringify(body)
  }
  const response = await fetch(`/api/v1${path}`, init).catch(() => {
    throw new ApiError(0)
  })
  if (!response.ok) throw await refusal(response)
  return response.status === 204 ? { data: undefined as T } : ((await response.json()) as Answer<T>)
}

async function refusal(response: Response): Promise<ApiError> {
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json') ?? false
  const problem = isProblem ? ((await response.json().catch(() => ({}))) as Partial<Problem>) : {}
  return new ApiError(response.status, problem, response.headers.get('Retry-After'))
}
