/** Read from a storage that the browser may refuse to give. */
export function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key)
  } catch {
    return null
  }
}

/** Write to a storage that may be refused or full: then the choice lives as long as the page. */
export function write(storage: () => Storage, key: string, value: string | null): void {
  try {
    if (value === null) storage().removeItem(key)
    else storage().setItem(key, value)
  } catch {
    // What is remembered here is a comfort, never needed.
  }
}

export const perBrowser = (): Storage => localStorage
export const perTab = (): Storage => sessionStorage
