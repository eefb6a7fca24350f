import { ref, type Ref } from 'vue'

export interface Acting {
  failed: Ref<unknown>
  done: Ref<string>
  act: (what: () => Promise<unknown>, message?: string) => Promise<void>
}

/** Do what the user asks for, then load again; `done` holds the message of what was done, `failed` why it was not. */
export function acting(reload: () => Promise<void>): Acting {
  const failed = ref<unknown>(null)
  const done = ref('')

  async function act(what: () => Promise<unknown>, message = ''): Promise<void> {
    failed.value = null
    done.value = ''
    try {
      await what()
      done.value = message
    } catch (reason) {
      failed.value = reason
    }
    await reload()
  }

  return { failed, done, act }
}
