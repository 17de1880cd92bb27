import type { View } from './dashboardView.ts'

/** What a rule can measure, by name. Nothing: it can't be told now, and changes nothing. */
type Measure = (view: View) => number | undefined

/** Words with which a check says that it has not passed. */
const FAILING = /^(fail|unhealthy|bad|down|critical|error)/

/**
 * Values that rules of alerts can name. Besides: `rate:TYPE`, events of a type a second (`rate:xauth:*` of several), and
 * `p99:COMMAND`, milliseconds that 99 of 100 commands of a type took no longer than.
 *
 * @unit as each name says; `cpu` and `failedShare` are shares of 1
 */
export const alertMetrics = {
  /** Peers with a connection. */
  peers: ({ peers }) => peers.filter(({ links }) => links.length > 0).length,
  /** Connected peers that are drawn as bad. */
  badPeers: ({ peers }) => peers.filter(({ health }) => health === 'bad').length,
  /** Open connections. */
  connections: ({ sample }) => sample?.connections,
  /** Open streams. */
  streams: ({ sample }) => sample?.streams,
  /** Commands that wait, in all lanes. */
  waiting: ({ lanes }) => lanes.reduce((sum, { waiting }) => sum + waiting, 0),
  /** How long the oldest command has waited. @unit milliseconds */
  waitingMs: ({ lanes }) => lanes.reduce((most, { oldestMs }) => Math.max(most, oldestMs), 0),
  /** Of the commands that settled in the last second, how many failed. @unit 0 to 1 */
  failedShare: ({ sample }) => failedShare(sample?.commands ?? {}),
  /** How late a timer was in the last second, at worst. @unit milliseconds */
  loopDelayMs: ({ sample }) => sample?.loop.maxMs,
  /** @unit bytes */
  heapBytes: ({ sample }) => sample?.heapBytes,
  /** @unit bytes */
  rssBytes: ({ sample }) => sample?.rssBytes,
  /** @unit 1 is a whole core */
  cpu: ({ sample }) => sample?.cpu,
  /** Circuit breakers that are open. */
  openBreakers: ({ breakers }) => breakers.filter(({ state }) => state === 'open').length,
  /** Behaviours that do not run. */
  troubled: ({ troubled }) => troubled.length,
  /** 1 when no peer is connected and there were some. */
  isolated: ({ isIsolated }) => (isIsolated ? 1 : 0),
  /** Relays that hold a place for this node. */
  reservations: ({ relays }) => relays.filter(({ state }) => state === 'held').length,
  /** Health checks that have not passed. */
  failingChecks: ({ checks }) => checks.filter(({ status }) => FAILING.test(status)).length,
} as const satisfies Readonly<Record<string, Measure>>

/** Whether a rule can name it. */
export function isMetric(name: string): boolean {
  return Object.hasOwn(alertMetrics, name) || /^(rate|p99):./.test(name)
}

/** A value that a rule names, now. */
export function measure(name: string, view: View): number | undefined {
  if (Object.hasOwn(alertMetrics, name)) return (alertMetrics as Readonly<Record<string, Measure>>)[name]!(view)
  const { sample } = view
  if (sample === undefined) return undefined
  const what = name.slice(name.indexOf(':') + 1)
  if (name.startsWith('rate:')) return (countOf(sample.events, what) * 1_000) / Math.max(1, sample.spanMs)
  return Object.hasOwn(sample.commands, what) ? sample.commands[what]!.p99Ms : undefined
}

/** How many events of a type, or of those that begin as `xauth:*` says, were counted. */
export function countOf(events: Readonly<Record<string, number>>, type: string): number {
  if (!type.endsWith('*')) return Object.hasOwn(events, type) ? events[type]! : 0
  const start = type.slice(0, -1)
  return Object.entries(events).reduce((sum, [one, count]) => sum + (one.startsWith(start) ? count : 0), 0)
}

function failedShare(commands: NonNullable<View['sample']>['commands']): number | undefined {
  let [failed, all] = [0, 0]
  for (const one of Object.values(commands)) {
    failed += one.failed
    all += one.failed + one.completed
  }
  return all === 0 ? undefined : failed / all
}
