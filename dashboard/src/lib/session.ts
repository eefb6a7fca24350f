import { ref } from 'vue'
import { ApiError, call } from './api'
import { keep, token } from './credentials'

/** Who is signed in, by the name given to the form. */
export const user = ref<string | null>(null)

/** Exchange name and password for a token. */
export async function signIn(name: string, password: string): Promise<void> {
  const answer = await call<{ token: string; expires_in: number }>('POST', '/auth/login', { name, password })
  keep(answer.data.token)
  user.value = name
}

/** Forget the token here and have the server forget it; one that it no longer knows is as good as forgotten. */
export async function signOut(): Promise<void> {
  try {
    if (token() !== null) await call('POST', '/auth/logout')
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason
  } finally {
    forget()
  }
}

/** Drop a token that the server refused. */
export function forget(): void {
  keep(null)
  user.value = null
}
