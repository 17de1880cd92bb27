/** The clock of the browser. @unit milliseconds since the Unix epoch */
export const nowMs = (): number => Date.now()

/** Calls after a while; the result takes it back. */
export function afterMs(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms)
  return () => clearTimeout(timer)
}

/** Calls again and again; the result ends it. */
export function everyMs(ms: number, call: () => void): () => void {
  const timer = setInterval(call, ms)
  return () => clearInterval(timer)
}

/** A number for jitter. @unit 0 (inclusive) to 1 (exclusive) */
export const chance = (): number => Math.random()

/** What the reader chose at an earlier visit. @errors None: without storage there is none. */
export function remembered(name: string): string | undefined {
  try {
    return globalThis.localStorage.getItem(`rxswarm-dashboard-${name}`) ?? undefined
  } catch {
    return undefined
  }
}

/** Keeps a choice for the next visit, if the browser lets it. */
export function remember(name: string, value: string): void {
  try {
    globalThis.localStorage.setItem(`rxswarm-dashboard-${name}`, value)
  } catch {
    // without storage the choice lasts as long as the page
  }
}

/** Whether the reader wants no motion. */
export const isCalm = (): boolean => globalThis.matchMedia('(prefers-reduced-motion: reduce)').matches
