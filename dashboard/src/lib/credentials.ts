/**
 * What a page of ours sends along so that the browser's cookie counts; the cookie itself no script can read. It lives
 * in this variable only.
 */
let held: string | null = null

export function csrf(): string | null {
  return held
}

export function keep(fresh: string | null): void {
  held = fresh
}

/** What a socket shows when it connects. */
export function shown(): { csrf?: string } {
  return held === null ? {} : { csrf: held }
}
