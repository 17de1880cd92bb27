import { z } from 'zod'
import { some, someWaitMs, waitMs } from '../../errors/optionKinds.ts'
import { isMetric } from './model/alertMetrics.ts'
import { ALERT_RULES } from './model/alertRules.ts'
import type { AlertRule } from './model/alerts.ts'

/** Options of {@link dashboard}. */
export interface DashboardOptions {
  /** When alerts are raised. Default: `ALERT_RULES`. Add yours with `[...ALERT_RULES, mine]`; `[]` for none. */
  readonly alerts?: readonly AlertRule[]
  /** Pages that look at once; further ones get 503. Default: 64. */
  readonly maxClients?: number
  /** What waits in this process for one page, besides the view at its beginning. Default: 262 144. @unit bytes */
  readonly maxUnreadBytes?: number
  /** A page that has been behind for so long is let go. Default: 15 000. @unit milliseconds */
  readonly stallMs?: number
  /** How much is looked back on. Default: 20 000 items. */
  readonly historyItems?: number
  /** How much is looked back on, roughly. Default: 16 777 216. @unit bytes */
  readonly historyBytes?: number
}

/** {@link DashboardOptions} with the defaults. */
export interface DashboardDecisions extends Required<DashboardOptions> {}

/** Rules at once: each is looked at every second. */
const MOST_RULES = 256

const when = z.union(
  [
    z.strictObject({
      metric: z.string().refine(isMetric, 'must be a metric: peers, waitingMs, rate:TYPE, …'),
      op: z.enum(['>', '>=', '<', '<=']),
      value: z.number(),
      forMs: waitMs.optional(),
    }),
    z.strictObject({
      event: z.string().min(1).max(256),
      count: some.optional(),
      withinMs: someWaitMs.max(3_600_000).optional(),
    }),
  ],
  'must be { metric, op, value } with a metric that there is, or { event, count, withinMs }',
)

const rule = z.strictObject({
  id: z.string('must be a name').regex(/^[\w.-]{1,64}$/, 'must be a name of letters, digits, dots and hyphens'),
  title: z.string('must be text').min(1, 'must not be empty').max(256, 'must be at most 256 characters'),
  severity: z.enum(['info', 'warning', 'critical'], 'must be info, warning or critical'),
  when,
  calmMs: waitMs.optional(),
})

/** What {@link DashboardOptions} are checked with. */
export const dashboardSchema = z.strictObject({
  alerts: z
    .array(rule, 'must be a list of rules')
    .max(MOST_RULES, `must be at most ${MOST_RULES}`)
    .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, 'must have an id each')
    .default([...ALERT_RULES]),
  maxClients: some.max(1_024, 'must be at most 1 024').default(64),
  maxUnreadBytes: some.min(16_384, 'must be at least 16 384').default(262_144),
  stallMs: someWaitMs.default(15_000),
  historyItems: some.min(512, 'must be at least 512').default(20_000),
  historyBytes: some.min(65_536, 'must be at least 65 536').default(16_777_216),
})
