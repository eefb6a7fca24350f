import { ref } from 'vue'

/** Where the server says it runs: development, testing or production. */
export const environment = ref<string | null>(null)

/** Ask once; a page that cannot learn it just shows no tag. */
export async function learn(): Promise<void> {
  try {
    const response = await fetch('/dashboard/config.json', { credentials: 'same-origin' })
    if (response.ok) environment.value = ((await response.json()) as { environment: string }).environment
  } catch {
    environment.value = null
  }
}
