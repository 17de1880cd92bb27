import { z } from 'zod'
import type { LatePeer } from './isolationMachine.ts'

const schema = z.array(z.strictObject({ peer: z.string(), addresses: z.array(z.string()).max(8) })).max(64)

/** Who was connected lately, from a store. @errors when it is something else */
export function readLately(text: string): readonly LatePeer[] {
  return schema.parse(JSON.parse(text))
}
