import { computed } from 'vue'
import { language } from './i18n'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

const amounts = computed(
  () => new Intl.NumberFormat(language.value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
)
const wholes = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 0 }))
const shares = computed(
  () =>
    new Intl.NumberFormat(language.value, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }),
)
const ages = computed(() => new Intl.RelativeTimeFormat(language.value, { numeric: 'always', style: 'short' }))
const moments = computed(() => new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'long' }))

/** Write a number of bytes in the binary unit that fits. */
export function bytes(count: number): string {
  const step = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(count) / 10))
  const formatter = step === 0 ? wholes.value : amounts.value
  return `${formatter.format(count / 1024 ** step)}\u00a0${UNITS[step]}`
}

/** Write a number of bytes in full, for those who compare. */
export function exactBytes(count: number): string {
  return `${wholes.value.format(count)}\u00a0B`
}

/** Write a share of one as a percentage. */
export function share(fraction: number): string {
  return shares.value.format(fraction)
}

/** Write how long ago something happened. */
export function ago(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return ages.value.format(-seconds, 'second')
  if (seconds < 3600) return ages.value.format(-Math.floor(seconds / 60), 'minute')
  return ages.value.format(-Math.floor(seconds / 3600), 'hour')
}

/** Write how long it is until something happens. */
export function until(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return ages.value.format(seconds, 'second')
  if (seconds < 3600) return ages.value.format(Math.floor(seconds / 60), 'minute')
  if (seconds < 172_800) return ages.value.format(Math.floor(seconds / 3600), 'hour')
  return ages.value.format(Math.floor(seconds / 86_400), 'day')
}

/** Write a length of time in one unit. */
export function span(count: number, unit: 'week' | 'day' | 'hour' | 'minute' | 'second'): string {
  return new Intl.NumberFormat(language.value, { style: 'unit', unit, unitDisplay: 'long' }).format(count)
}

/** Write how long something took. */
export function took(milliseconds: number): string {
  const seconds = milliseconds / 1000
  const digits = seconds < 10 ? 2 : 0
  return new Intl.NumberFormat(language.value, {
    style: 'unit',
    unit: 'second',
    unitDisplay: 'short',
    maximumFractionDigits: digits,
  }).format(seconds)
}

/** Write a moment with its zone. */
export function moment(at: number): string {
  return moments.value.format(at)
}
