import { z } from 'zod'

/** Shares between these can be reckoned with. */
const [LEAST_SHARE, MOST_SHARE] = [1e-6, 1e6]

// Not z.int(): what is no whole number would end the checks of everything else.
const count = z
  .number('must be a whole number')
  .refine(Number.isSafeInteger, 'must be a whole number')
  .min(1, 'must be at least 1')
const share = z
  .number('must be a number')
  .min(LEAST_SHARE, `must be at least ${LEAST_SHARE}`)
  .max(MOST_SHARE, `must be at most ${MOST_SHARE}`)

/**
 * The fields that a `FairQueue` and `mergeMapFairly` have in common, for their schemas.
 *
 * @shape  Shares are between 0.000001 and 1 000 000, counts whole numbers from 1.
 */
export const fairFields = {
  count,
  lane: { strict: z.boolean('must be true or false').optional(), weight: share.optional(), maxWaiting: count },
  queue: { strictBurst: count.default(64), quantum: share.default(1) },
  /** For `refine`: a lane is either strict or has a weight. */
  isStrictOrWeighs: ({ strict, weight }: { readonly strict?: unknown; readonly weight?: unknown }) =>
    strict !== true || weight === undefined,
  /** What it is told otherwise. */
  strictAndWeighs: { path: ['weight'], message: 'a strict lane has no weight: it is served first' },
}
