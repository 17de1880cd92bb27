import { z } from 'zod'

const number = z.number('must be a number')
const fromZero = number.min(0, 'must be at least 0')
const aboveZero = number.positive('must be above 0')
const name = z.string('must be the name of a node')

const latency = z.union(
  [
    fromZero,
    z.strictObject({ type: z.literal('constant'), ms: fromZero }),
    z
      .strictObject({ type: z.literal('uniform'), minMs: fromZero, maxMs: fromZero })
      .refine(({ minMs, maxMs }) => minMs <= maxMs),
    z.strictObject({ type: z.literal('normal'), meanMs: fromZero, deviationMs: fromZero }),
    z
      .strictObject({ type: z.literal('exponential'), meanMs: aboveZero, minMs: fromZero.optional() })
      .refine(({ meanMs, minMs = 0 }) => minMs <= meanMs),
    z.strictObject({ type: z.literal('lognormal'), medianMs: aboveZero, sigma: fromZero }),
    z
      .strictObject({ type: z.literal('pareto'), minMs: aboveZero, alpha: aboveZero, maxMs: aboveZero.optional() })
      .refine(({ minMs, maxMs = Infinity }) => minMs <= maxMs),
  ],
  'must be milliseconds from 0, or a distribution: constant, uniform, normal, exponential, lognormal or pareto',
)

const linkFields = {
  latencyMs: latency.optional(),
  loss: fromZero.lt(1, 'must be below 1; block the link instead').optional(),
  reorder: fromZero.max(1, 'must be at most 1').optional(),
  bandwidthBytesPerSecond: aboveZero.optional(),
}

/** What a link does to packets. */
export const linkSchema = z.strictObject(linkFields, 'must be an object')

const direction = { from: name, to: name }

/** One fault. */
export const faultSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('partition'),
      groups: z
        .array(z.array(name, 'must be a list of names'), 'must be a list of groups')
        .min(1, 'must have a group at least')
        .refine((groups) => new Set(groups.flat()).size === groups.flat().length, 'must name each node once'),
    }),
    z.strictObject({ type: z.literal('heal') }),
    z.strictObject({ type: z.literal('crash'), node: name }),
    z.strictObject({ type: z.literal('restart'), node: name }),
    z.strictObject({ type: z.literal('block'), ...direction }),
    z.strictObject({ type: z.literal('unblock'), ...direction }),
    z.strictObject({ type: z.literal('link'), ...direction, ...linkFields }),
    z.strictObject({ type: z.literal('skew'), node: name, offsetMs: number }),
    z.strictObject({ type: z.literal('nat'), node: name, on: z.boolean('must be true or false') }),
  ],
  'must be a fault: partition, heal, crash, restart, block, unblock, link, skew or nat',
)

/** What goes wrong when. */
export const scheduleSchema = z.array(
  z.strictObject({ atMs: fromZero, fault: faultSchema }, 'must be { atMs, fault }'),
  'must be a list of { atMs, fault }',
)

/** How long a character of a diagram lasts. */
export const paceSchema = z.strictObject({ frameMs: aboveZero.default(1_000) }, 'must be an object')

/** What one node is like. */
export const nodeSchema = z.strictObject(
  {
    nat: z.boolean('must be true or false').optional(),
    listen: z.boolean('must be true or false').optional(),
    clockSkewMs: number.optional(),
    driftPpm: number.gt(-1e6, 'must be above -1 000 000').optional(),
  },
  'must be an object',
)

const NODE_NAME = /^[^\s/>]+$/
const nodeName = z.string('must be a name').regex(NODE_NAME, 'must be a name without space, / and >')

/** Which nodes there are. */
export const nodesSchema = z.union(
  [
    z.int('must be a whole number').min(1, 'must be at least 1').max(100_000, 'must be at most 100 000'),
    z
      .array(nodeName)
      .min(1, 'must name a node at least')
      .refine((names) => new Set(names).size === names.length, 'must name each node once'),
    z.record(nodeName, nodeSchema).refine((nodes) => Object.keys(nodes).length > 0, 'must name a node at least'),
  ],
  'must be a number of nodes, a list of names without space, / and >, each once, or an object of { nat, listen, clockSkewMs, driftPpm }',
)
