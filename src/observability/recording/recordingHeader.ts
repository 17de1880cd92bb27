import { z } from 'zod'

/** Name of the format. */
export const FORMAT = 'rxswarm-recording'

/** Version of the format. A reader refuses those that it does not know. */
export const VERSION = 1

const text = z.string().max(100_000)

/** The second element of the first line. */
export const headerSchema = z.looseObject({
  format: z.literal(FORMAT),
  version: z.number(),
  rxswarm: text,
  self: text,
  startedAt: z.number(),
  from: z.enum(['start', 'middle']),
  modules: z.array(z.object({ name: text, options: text })).max(1_000),
  deadlineMs: z.number().positive(),
  limits: z.object({ intake: z.number(), running: z.number(), openEnded: z.number() }),
  redacted: z.boolean(),
  admits: z.boolean(),
})

/** What a recording says of itself. */
export interface RecordingHeader {
  /** Always `rxswarm-recording`. */
  readonly format: typeof FORMAT
  /** Version of the format. */
  readonly version: number
  /** Version of rxswarm that wrote it. */
  readonly rxswarm: string
  /** Own peer id of the node. */
  readonly self: string
  /** When it began, by the swarm's clock. @unit milliseconds since the Unix epoch, with the usual clock */
  readonly startedAt: number
  /** Whether it has everything since the start of the swarm; only then a replay is exact. */
  readonly from: 'start' | 'middle'
  /** What was in use, in that order, with a digest of its options. */
  readonly modules: readonly { readonly name: string; readonly options: string }[]
  /** Deadline of commands that name none. @unit milliseconds */
  readonly deadlineMs: number
  /** What could be in flight at once. */
  readonly limits: { readonly intake: number; readonly running: number; readonly openEnded: number }
  /** Whether bytes were left out. */
  readonly redacted: boolean
  /** Whether a module was asked about each command before it was taken in. */
  readonly admits: boolean
}
