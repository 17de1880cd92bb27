const LOOK_EVERY_MS = 50

/** Watches how much the memory of this process grows, from now on. */
export function rssGrowth() {
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let most = before
  const look = () => (most = Math.max(most, process.memoryUsage.rss()))
  const looking = setInterval(look, LOOK_EVERY_MS)
  return {
    /** Ends it. @returns the most that it had grown at any time; rubbish counts. @unit bytes */
    stop: (): number => {
      clearInterval(looking)
      return look() - before
    },
  }
}
