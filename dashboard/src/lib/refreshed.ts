import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { user } from './session'

export interface Refreshed<T> {
  data: ShallowRef<T | null>
  problem: ShallowRef<unknown>
  loading: Ref<boolean>
  reload: () => Promise<void>
}

/** Load at once, and again after so many milliseconds, which may change, while somebody is signed in and the tab is seen. */
export function refreshed<T>(load: () => Promise<T>, every: number | (() => number)): Refreshed<T> {
  const wait = (): number => (typeof every === 'number' ? every : every())
  const data = shallowRef<T | null>(null)
  const problem = shallowRef<unknown>(null)
  const loading = ref(true)
  let timer: ReturnType<typeof setTimeout> | undefined
  let latest = 0
  let ended = false

  async function reload(): Promise<void> {
    clearTimeout(timer)
    if (user.value === null) return
    const mine = ++latest
    try {
      const fresh = await load()
      if (mine !== latest) return // a newer question is under way
      data.value = fresh
      problem.value = null
    } catch (reason) {
      if (mine !== latest) return
      problem.value = reason
    }
    loading.value = false
    if (!ended) timer = setTimeout(look, wait())
  }

  function look(): void {
    if (document.hidden) timer = setTimeout(look, wait())
    else void reload()
  }

  watch(user, reload)
  onScopeDispose(() => {
    ended = true
    clearTimeout(timer)
  })
  void reload()
  return { data, problem, loading, reload }
}
