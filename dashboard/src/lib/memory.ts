import { shallowRef } from 'vue'
import { onSample, STALE_AFTER } from './socket'

/** The values in the order of the table; a platform gives some of them. */
export const FIELDS = [
  'total',
  'available',
  'percent',
  'used',
  'free',
  'active',
  'inactive',
  'buffers',
  'cached',
  'shared',
  'slab',
] as const
export type Field = (typeof FIELDS)[number]

export interface Sample {
  at: number
  values: Readonly<Partial<Record<Field, number>>> & { readonly total: number; readonly available: number }
  /** The part of `total` that programs could not get now, between 0 and 1. */
  inUse: number
}

/** How far back the small chart looks, in milliseconds. */
export const WINDOW = 5 * 60_000

/** The newest sample, as drawn. */
export const latest = shallowRef<Sample | null>(null)

/** The samples of the last minutes; `null` stands for an outage. */
export const history = shallowRef<readonly (Sample | null)[]>([])

// What has arrived; it is drawn when the tab can be seen.
let received: (Sample | null)[] = []

function draw(): void {
  history.value = [...received]
  latest.value = received.at(-1) ?? null
}

/** Make a sample of what came over the wire, or nothing if it is none. */
export function parse(data: unknown, at: number): Sample | null {
  if (typeof data !== 'object' || data === null) return null
  const values: Partial<Record<Field, number>> = {}
  for (const field of FIELDS) {
    const value = (data as Record<string, unknown>)[field]
    if (typeof value === 'number' && Number.isFinite(value)) values[field] = value
  }
  const { total, available } = values
  if (total === undefined || available === undefined || total <= 0) return null
  const inUse = Math.min(1, Math.max(0, (total - available) / total))
  return { at, values: { ...values, total, available }, inUse }
}

onSample((data) => {
  const sample = parse(data, Date.now())
  if (sample === null) return
  const last = received.at(-1)
  if (last && sample.at - last.at > STALE_AFTER) received.push(null)
  received.push(sample)
  received = received.filter((each) => each === null || sample.at - each.at <= WINDOW)
  if (!document.hidden) draw()
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && received.length > 0) draw()
})
