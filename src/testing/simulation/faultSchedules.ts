import type { Arbitrary } from 'fast-check'
import { z } from 'zod'
import { some, someMs } from '../../errors/optionKinds.ts'
import { parseOptions } from '../../errors/parseOptions.ts'
import type { Fault, FaultSchedule } from './fault.ts'

/** What is used of fast-check, by a default or a namespace import. */
export type FastCheck = Pick<
  typeof import('fast-check'),
  'array' | 'boolean' | 'constant' | 'constantFrom' | 'integer' | 'nat' | 'oneof' | 'record' | 'subarray' | 'tuple'
>

/** Kinds of faults. */
export type FaultType = Fault['type']

/** What {@link faultSchedules} draws from. */
export interface FaultSchedulesOptions {
  /** Names of the nodes, one at least; those of two nodes need two. */
  readonly nodes: readonly string[]
  /** Faults happen at whole frames. Default: 1 000. @unit milliseconds */
  readonly frameMs?: number
  /** In so many frames from the start. Default: 20. */
  readonly frames?: number
  /** Which kinds. Default: partition, heal, crash, restart, block and unblock. */
  readonly faults?: readonly FaultType[]
  /** So many in a schedule. Default: 6. */
  readonly mostFaults?: number
}

const TYPES = ['partition', 'heal', 'crash', 'restart', 'block', 'unblock', 'link', 'skew', 'nat'] as const
const USUAL: readonly FaultType[] = ['partition', 'heal', 'crash', 'restart', 'block', 'unblock']

/** The options that `explore` has as well. */
export const scheduleFields = {
  frameMs: someMs.default(1_000),
  frames: some.default(20),
  faults: z
    .array(z.enum(TYPES, `must be one of ${TYPES.join(', ')}`), 'must be a list')
    .min(1, 'must name a kind at least')
    .default([...USUAL]),
  mostFaults: some.default(6),
}

const schema = z.strictObject({
  nodes: z.array(z.string('must be a name'), 'must be a list of names').min(1, 'must name a node at least'),
  ...scheduleFields,
})

/** Clocks go wrong by so much. @unit milliseconds */
const MOST_SKEW_MS = 60_000

/** Links get as slow as this, and lose so much. @unit milliseconds; percent */
const MOST_LATENCY_MS = 2_000
const MOST_LOSS_PERCENT = 90
const PERCENT = 100

/**
 * Fault schedules for fast-check: fewer faults, and earlier ones, are the smaller schedules.
 *
 * @param fc fast-check, which is yours to install.
 * @errors `ConfigError` for options that can't be.
 */
export function faultSchedules(fc: FastCheck, options: FaultSchedulesOptions): Arbitrary<FaultSchedule> {
  const { nodes, frameMs, frames, faults, mostFaults } = parseOptions('faultSchedules', schema, options)
  const makers = arbitraries(fc, nodes)
  const kinds = faults.flatMap((type) => makers[type] ?? [])
  if (kinds.length === 0) return fc.constant([])
  const timed = fc.record({ frame: fc.nat(frames - 1), fault: fc.oneof(...kinds) })
  return fc
    .array(timed, { maxLength: mostFaults })
    .map((list) =>
      list.toSorted((a, b) => a.frame - b.frame).map(({ frame, fault }) => ({ atMs: frame * frameMs, fault })),
    )
}

function arbitraries(fc: FastCheck, nodes: readonly string[]): { readonly [Type in FaultType]?: Arbitrary<Fault> } {
  const of = (type: 'crash' | 'restart') => fc.constantFrom(...nodes).map((node): Fault => ({ type, node }))
  const skew = fc
    .record({ node: fc.constantFrom(...nodes), offsetMs: fc.integer({ min: -MOST_SKEW_MS, max: MOST_SKEW_MS }) })
    .map((given): Fault => ({ type: 'skew', ...given }))
  const nat = fc
    .record({ node: fc.constantFrom(...nodes), on: fc.boolean() })
    .map((given): Fault => ({ type: 'nat', ...given }))
  const alone = { crash: of('crash'), restart: of('restart'), skew, nat }
  if (nodes.length < 2) return alone
  const pair = fc
    .subarray([...nodes], { minLength: 2, maxLength: 2 })
    .chain(([a = '', b = '']) => fc.constantFrom({ from: a, to: b }, { from: b, to: a }))
  const link = fc
    .tuple(pair, fc.nat(MOST_LATENCY_MS), fc.nat(MOST_LOSS_PERCENT))
    .map(([ends, latencyMs, percent]): Fault => ({ type: 'link', ...ends, latencyMs, loss: percent / PERCENT }))
  return {
    ...alone,
    partition: fc
      .subarray([...nodes], { minLength: 1, maxLength: nodes.length - 1 })
      .map((one): Fault => ({ type: 'partition', groups: [one, nodes.filter((name) => !one.includes(name))] })),
    heal: fc.constant<Fault>({ type: 'heal' }),
    block: pair.map((ends): Fault => ({ type: 'block', ...ends })),
    unblock: pair.map((ends): Fault => ({ type: 'unblock', ...ends })),
    link,
  }
}
