import { io } from 'socket.io-client'
import { computed, ref } from 'vue'
import { now } from './clock'
import { shown } from './credentials'
import { perTab, read, write } from './storage'

/** How often the server sends a sample, in milliseconds; after three of these the values on the page are stale. */
const SAMPLE_INTERVAL = 2000
export const STALE_AFTER = 3 * SAMPLE_INTERVAL

/** How long to leave a server in peace that has no room for another viewer, in milliseconds. */
const FULL_RETRY_AFTER = 5000

export type LiveState = 'paused' | 'connecting' | 'live' | 'stale' | 'reconnecting' | 'offline' | 'signedOut'

const KEY = 'redprint.monitoring'

const socket = io('/ws', {
  autoConnect: false,
  // A websocket needs no sticky sessions; polling would, as soon as there is a second worker.
  transports: ['websocket'],
  tryAllTransports: true,
  reconnectionDelay: 200,
  reconnectionDelayMax: 1000,
  timeout: 5000,
  // Asked again at every reconnect, so a fresh session is used as soon as there is one.
  auth: (give) => give(shown()),
})

const phase = ref<'paused' | 'connecting' | 'open' | 'reconnecting' | 'signedOut'>('paused')
const heardAt = ref(0)
const online = ref(navigator.onLine)

/** The number of the present try to reach a lost server. */
export const attempt = ref(0)

/** Whether the server is there but has no room; nothing else is tried again after a refusal. */
export const full = ref(false)

let comeback: ReturnType<typeof setTimeout> | undefined

/** What the badge says about the live channel. */
export const state = computed<LiveState>(() => {
  if (phase.value === 'reconnecting') return online.value ? 'reconnecting' : 'offline'
  if (phase.value !== 'open') return phase.value
  return now.value - heardAt.value > STALE_AFTER ? 'stale' : 'live'
})

/** Whether the visitor wants live values, whatever the network makes of it. */
export const wanted = computed(() => phase.value !== 'paused')

/** Connect, and remember the wish for this tab. */
export function start(): void {
  write(perTab, KEY, 'on')
  phase.value = 'connecting'
  settle()
  socket.connect()
}

/** Disconnect, which tells the server to stop sending, and remember that. */
export function stop(): void {
  write(perTab, KEY, null)
  phase.value = 'paused'
  settle()
  socket.disconnect()
}

/** Do not wait for the next try. */
export function retry(): void {
  clearTimeout(comeback)
  socket.disconnect()
  phase.value = 'reconnecting'
  socket.connect()
}

/** Go on where this tab left off before it was reloaded. */
export function resume(): void {
  if (read(perTab, KEY) === 'on') start()
}

/** Hand every `server_response` to `take`, until the returned function is called. */
export function onSample(take: (data: unknown) => void): () => void {
  const listener = (message: unknown): void => {
    heardAt.value = now.value = Date.now()
    if (typeof message === 'object' && message !== null && 'data' in message) take(message.data)
  }
  socket.on('server_response', listener)
  return () => void socket.off('server_response', listener)
}

socket.on('connect', () => {
  heardAt.value = now.value = Date.now()
  settle()
  phase.value = 'open'
})

socket.on('disconnect', (reason) => {
  if (phase.value === 'paused') return
  // Thrown out by the server, as when a session is ended: it will not be tried again by itself.
  phase.value = reason === 'io server disconnect' ? 'signedOut' : 'reconnecting'
})

socket.on('connect_error', (reason: Error & { data?: { code?: string } }) => {
  if (phase.value === 'paused') return
  // `active` tells a refusal, after which nothing is tried again, from a network that may come back.
  full.value = !socket.active && reason.data?.code === 'unavailable'
  phase.value = socket.active || full.value ? 'reconnecting' : 'signedOut'
  if (!full.value) return
  attempt.value += 1
  comeback = setTimeout(() => socket.connect(), FULL_RETRY_AFTER)
})

socket.io.on('reconnect_attempt', (number) => (attempt.value = number))

function settle(): void {
  clearTimeout(comeback)
  attempt.value = 0
  full.value = false
}

addEventListener('online', () => (online.value = true))
addEventListener('offline', () => (online.value = false))
