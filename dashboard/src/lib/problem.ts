import { ApiError } from './api'
import { isKey, t } from './i18n'

/** Say in the reader's language what an error means: by its code where we have a text for it, else by its status. */
export function explain(reason: unknown): string {
  if (!(reason instanceof ApiError)) return t('error.unknown')
  const seconds = reason.retryAfterSeconds ?? 0
  for (const key of [`error.${reason.code}`, `error.${reason.status}`]) {
    if (isKey(key)) return t(key, { seconds })
  }
  return t(reason.status >= 500 ? 'error.500' : 'error.unknown')
}

/** Whether an error says that the server does not know who asks, or no longer by the session this page knows. */
export function isSignedOut(reason: unknown): boolean {
  return reason instanceof ApiError && (reason.status === 401 || reason.code === 'foreign_page')
}
