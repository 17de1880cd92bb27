import { z } from 'zod'
import { LIMITS } from './ledger.ts'

/** How many of something there may be. */
export const bound = z.int('must be a whole number').positive('must be above 0')

/** The bounds of a swarm, with their defaults. */
export const limitsSpec = z
  .strictObject({
    intake: bound.default(LIMITS.intake),
    running: bound.default(LIMITS.running),
    openEnded: bound.default(LIMITS.openEnded),
  })
  .prefault({})
