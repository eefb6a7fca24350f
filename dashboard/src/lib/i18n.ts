import { ref, watch } from 'vue'
import { en, type Messages } from '../locales/en'
import { zh } from '../locales/zh-CN'
import { perBrowser, read, write } from './storage'

export type Key = keyof Messages

const CATALOGUES = { en, 'zh-CN': zh } satisfies Record<string, Messages>
export type Language = keyof typeof CATALOGUES
export const LANGUAGES = Object.keys(CATALOGUES) as Language[]

const KEY = 'redprint.language'

function preferred(): Language {
  const stored = read(perBrowser, KEY)
  const chosen = LANGUAGES.find((name) => name === stored)
  if (chosen) return chosen
  for (const wanted of navigator.languages) {
    const [tongue] = wanted.toLowerCase().split('-')
    if (tongue === 'zh') return 'zh-CN'
    if (tongue === 'en') return 'en'
  }
  return 'en'
}

/** The language of the page: the stored choice, else the browser's. */
export const language = ref<Language>(preferred())

watch(language, (name) => write(perBrowser, KEY, name))
watch(language, (name) => (document.documentElement.lang = name), { immediate: true })

/** Give the text of a key, with `{name}` replaced by the value of that name. */
export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return CATALOGUES[language.value][key].replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole))
}

/** Tell whether a key that came from outside is one of ours. */
export function isKey(key: string): key is Key {
  return Object.hasOwn(en, key)
}
