import { io } from 'socket.io-client'
import { computed, onScopeDispose, ref, shallowReactive, watch, type ComputedRef, type Ref } from 'vue'
import { shown } from './credentials'
import { user } from './session'
import { isOpen, type Listed, type Task } from './tasks'

/** How long to leave a server in peace that refuses the live channel, in milliseconds. */
const RETRY_AFTER = 5000

export interface Followed {
  /** The tasks, as new as anything says they are. */
  tasks: ComputedRef<Task[]>
  /** Whether the server tells of all that may change; without it they are to be asked for more often. */
  live: Ref<boolean>
  /** Whether it was tried to reach it for that, and failed. */
  away: Ref<boolean>
}

/** Let the server tell over `/ws` how the listed tasks go on that have not ended, for as long as the page is there. */
export function followed(listed: () => Listed | null): Followed {
  const told = shallowReactive(new Map<string, { task: Task; at: number }>())
  const asked = new Set<string>()
  const refused = shallowReactive(new Set<string>())
  const connected = ref<boolean | null>(null)
  let comeback: ReturnType<typeof setTimeout> | undefined

  // Of its own, so that it goes with the page, whatever the visitor wants of the monitor.
  const socket = io('/ws', {
    autoConnect: false,
    forceNew: true,
    transports: ['websocket'],
    tryAllTransports: true,
    reconnectionDelay: 200,
    reconnectionDelayMax: 1000,
    timeout: 5000,
    auth: (give) => give(shown()),
  })

  const tasks = computed(() => {
    const { tasks, askedAt } = listed() ?? { tasks: [], askedAt: 0 }
    return tasks.map((task) => {
      const news = told.get(task.id)
      return news !== undefined && news.at > askedAt ? news.task : task
    })
  })
  const wanted = computed(() => (user.value === null ? [] : tasks.value.filter(isOpen).map(({ id }) => id)))

  function take(task: Task): void {
    told.set(task.id, { task, at: performance.now() })
  }

  function ask(id: string): void {
    asked.add(id)
    const before = told.get(id)
    socket.emit('watch_task', { id }, (answer: Task | { message: string }) => {
      if (!('id' in answer)) refused.add(id)
      else if (told.get(id) === before) take(answer) // else it is older than what has come
    })
  }

  function update(): void {
    clearTimeout(comeback)
    if (wanted.value.length === 0) {
      socket.disconnect()
      connected.value = null
      return
    }
    if (!socket.connected) {
      if (!socket.active) socket.connect()
      return
    }
    for (const id of asked) {
      if (wanted.value.includes(id)) continue
      asked.delete(id)
      refused.delete(id)
      socket.emit('unwatch_task', { id })
    }
    for (const id of wanted.value) if (!asked.has(id)) ask(id)
  }

  function lost(): void {
    connected.value = false
    asked.clear()
    refused.clear()
    // After a refusal nothing is tried again by itself.
    clearTimeout(comeback)
    if (!socket.active) comeback = setTimeout(update, RETRY_AFTER)
  }

  socket.on('connect', () => {
    connected.value = true
    update()
  })
  socket.on('disconnect', lost)
  socket.on('connect_error', lost)
  socket.on('task_progress', take)

  watch(() => wanted.value.join(), update, { immediate: true })
  onScopeDispose(() => {
    socket.off()
    clearTimeout(comeback)
    socket.disconnect()
  })
  return {
    tasks,
    live: computed(() => connected.value === true && refused.size === 0),
    away: computed(() => connected.value === false || refused.size > 0),
  }
}
