import { ref } from 'vue'
import { ApiError, send } from './api'
import { csrf, keep } from './credentials'

interface Session {
  name: string | null
  csrf: string | null
  permissions: string[]
  withheld?: boolean
}

/** Who is signed in. */
export const user = ref<string | null>(null)

/** Whether they may do nothing until they show a second factor. */
export const withheld = ref(false)

/** Ask who is signed in; a server that cannot say now is asked again by whatever the page does next. */
export function restore(): Promise<void> {
  return renew(null)
}

/** Ask again where a session was turned down: the browser may have signed in anew meanwhile, in another tab. */
export async function renew(turnedDown: string | null): Promise<void> {
  try {
    const session = (await (await send('GET', '/dashboard/session.json')).json()) as Session
    if (session.csrf === null || session.csrf === turnedDown) return
    keep(session.csrf)
    user.value = session.name
    withheld.value = session.withheld === true
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason
  }
}

/** Where to sign in, and come back from. */
export function signInAddress(back: string): string {
  return `/sign-in?next=${encodeURIComponent(back)}`
}

/** Have the server end the session; one that it no longer knows is as good as ended. */
export async function signOut(): Promise<void> {
  try {
    if (csrf() !== null) await send('POST', '/sign-out')
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason
  } finally {
    forget()
  }
}

/** Drop a session that the server refused. */
export function forget(): void {
  keep(null)
  user.value = null
  withheld.value = false
}
