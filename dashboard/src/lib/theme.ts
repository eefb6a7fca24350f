import { ref, watch } from 'vue'
import { perBrowser, read, write } from './storage'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

// plain/theme.js reads the same key before the first paint.
const KEY = 'redprint.theme'

const stored = read(perBrowser, KEY)

/** The chosen theme; `auto` follows the system. */
export const theme = ref<Theme>(THEMES.find((name) => name === stored) ?? 'auto')

watch(theme, (name) => {
  if (name === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = name
  write(perBrowser, KEY, name === 'auto' ? null : name)
})
