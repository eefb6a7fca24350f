/** The bearer token lives in this variable only: nothing that can read a storage can read it. */
let held: string | null = null

export function token(): string | null {
  return held
}

export function keep(fresh: string | null): void {
  held = fresh
}
