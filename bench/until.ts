const LOOK_AGAIN_MS = 10

/** Waits until something holds. @errors when it does not within `withinMs`, by default 15 000 */
export async function until(what: string, holds: () => boolean, withinMs = 15_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
  }
}
