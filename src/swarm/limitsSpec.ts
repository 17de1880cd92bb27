import { z } from 'zod'
import { some } from '../errors/optionKinds.ts'
import { LIMITS } from './ledger.ts'

/** The bounds of a swarm, with their defaults. */
export const limitsSpec = z
  .strictObject({
    intake: some.default(LIMITS.intake),
    running: some.default(LIMITS.running),
    openEnded: some.default(LIMITS.openEnded),
  })
  .prefault({})
