/** How long a packet is under way: a number of milliseconds, or how such numbers are spread. */
export type Latency =
  | number
  | { readonly type: 'constant'; readonly ms: number }
  | { readonly type: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | { readonly type: 'normal'; readonly meanMs: number; readonly deviationMs: number }
  | { readonly type: 'exponential'; readonly meanMs: number; readonly minMs?: number | undefined }
  | { readonly type: 'lognormal'; readonly medianMs: number; readonly sigma: number }
  | { readonly type: 'pareto'; readonly minMs: number; readonly alpha: number; readonly maxMs?: number | undefined }

/** Whole microseconds: the last digits of logarithms differ from machine to machine. */
const PER_MS = 1_000

/** No packet takes longer; a heavy tail has no end. @unit milliseconds */
const LONGEST_MS = 60_000

/**
 * Samples of a latency.
 *
 * @param latency What to draw from.
 * @param random  The chance; a constant draws nothing, a normal and a lognormal two numbers, the others one.
 * @returns Draws one. @unit milliseconds from 0 to 60 000, in whole microseconds
 */
export function latencyOf(latency: Latency, random: () => number): () => number {
  if (typeof latency === 'number') return () => latency
  if (latency.type === 'constant') return () => latency.ms
  const draw = drawOf(latency, random)
  return () => Math.round(Math.min(Math.max(0, draw()), LONGEST_MS) * PER_MS) / PER_MS
}

function drawOf(latency: Exclude<Latency, number | { type: 'constant' }>, random: () => number): () => number {
  switch (latency.type) {
    case 'uniform':
      return () => latency.minMs + random() * (latency.maxMs - latency.minMs)
    case 'normal':
      return () => latency.meanMs + latency.deviationMs * gauss(random)
    case 'exponential': {
      const { meanMs, minMs = 0 } = latency
      return () => minMs - Math.log(1 - random()) * (meanMs - minMs)
    }
    case 'lognormal':
      return () => latency.medianMs * Math.exp(latency.sigma * gauss(random))
    case 'pareto': {
      const { minMs, alpha, maxMs = LONGEST_MS } = latency
      return () => Math.min(maxMs, minMs / (1 - random()) ** (1 / alpha))
    }
  }
}

/** Box and Muller's way to a normal distribution; the second of its pair is left, so that no state stays. */
function gauss(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
