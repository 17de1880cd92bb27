import { countOf, measure } from './alertMetrics.ts'
import type { Sample } from './dashboardItem.ts'
import type { Severity, View } from './dashboardView.ts'

/** How a measured value is compared with that of a rule. */
export type AlertOp = '>' | '>=' | '<' | '<='

/** What must be so for an alert: a value for some time, or so many events within some time. */
export type AlertWhen =
  | {
      /** What is measured at each sample; see `alertMetrics`. */
      readonly metric: string
      /** How. */
      readonly op: AlertOp
      /** With what. */
      readonly value: number
      /** For how long it must be so. Default: 0, which is at one sample. @unit milliseconds */
      readonly forMs?: number | undefined
    }
  | {
      /** Type of an event, or the beginning of types: `xauth:*`. */
      readonly event: string
      /** How many. Default: 1. */
      readonly count?: number | undefined
      /** Within which time. Default: 60 000. @unit milliseconds, at most an hour */
      readonly withinMs?: number | undefined
    }

/** When an alert is raised, as data. It is resolved when it is no longer so. */
export interface AlertRule {
  /** Names it. */
  readonly id: string
  /** What it says. */
  readonly title: string
  /** How bad it is. */
  readonly severity: Severity
  /** See {@link AlertWhen}. */
  readonly when: AlertWhen
  /** How long it must no longer be so before the alert is resolved. Default: 5 000. @unit milliseconds */
  readonly calmMs?: number | undefined
}

/** An alert begins or ends. */
export type AlertChange =
  | {
      readonly type: 'alert:raised'
      /** Names the alert: the rule, and which time it is. */
      readonly alert: string
      /** Id of its rule. */
      readonly rule: string
      /** Of the rule. */
      readonly title: string
      /** Of the rule. */
      readonly severity: Severity
      /** What was measured, or how many events were counted. */
      readonly value: number
    }
  | { readonly type: 'alert:resolved'; readonly alert: string; readonly rule: string }

/** What is remembered of a rule between samples. */
export interface RuleMemory {
  /** Since when it has been so. */
  readonly since?: number
  /** Since when it has no longer been so, while an alert is out. */
  readonly calmSince?: number
  /** The alert that is out. */
  readonly alert?: string
  /** How many alerts there were. */
  readonly raised: number
  /** Events of the past, as the samples counted them; those outside of the time are left out. */
  readonly counts: readonly (readonly [at: number, count: number])[]
}

/** {@link RuleMemory} by the rule's id. */
export type AlertMemory = Readonly<Record<string, RuleMemory>>

/** What a sample comes to. */
export interface AlertStep {
  /** For the next sample. */
  readonly memory: AlertMemory
  /** Alerts that begin or end. */
  readonly changes: readonly AlertChange[]
}

const CALM_MS = 5_000
const WITHIN_MS = 60_000

/**
 * Looks at every rule, at a sample.
 *
 * @param view After the sample.
 * @shape  Pure: time is that of the samples. Remembers one count a sample for rules about events, for an hour at most.
 */
export function evaluateAlerts(
  rules: readonly AlertRule[],
  memory: AlertMemory,
  sample: Sample,
  view: View,
): AlertStep {
  const changes: AlertChange[] = []
  const next: Record<string, RuleMemory> = {}
  for (const rule of rules) {
    const before = Object.hasOwn(memory, rule.id) ? memory[rule.id]! : remembered(rule, view)
    const { is, value, counts } = judged(rule.when, before, sample, view)
    next[rule.id] = turned(rule, { ...before, counts }, is, value, sample.at, changes)
  }
  return { memory: next, changes }
}

/** Of a rule that is looked at for the first time, or again after a restart: what the view knows of its alerts. */
function remembered({ id }: AlertRule, { alerts }: View): RuleMemory {
  const last = alerts.findLast(({ rule }) => rule === id)
  if (last === undefined) return { raised: 0, counts: [] }
  const raised = Number(last.alert.slice(id.length + 1)) || 0
  return { raised, counts: [], ...(last.state === 'resolved' ? {} : { alert: last.alert }) }
}

/** Whether it is so, and how much there is of it. */
function judged(when: AlertWhen, { counts: before }: RuleMemory, sample: Sample, view: View) {
  if ('metric' in when) {
    const value = measure(when.metric, view)
    return { is: value !== undefined && compared(value, when.op, when.value), value: value ?? 0, counts: before }
  }
  const count = countOf(sample.events, when.event)
  const from = sample.at - (when.withinMs ?? WITHIN_MS)
  const kept = before.length > 0 && before[0]![0] <= from ? before.filter(([at]) => at > from) : before
  const counts = count === 0 ? kept : [...kept, [sample.at, count] as const]
  const value = counts.reduce((sum, [, one]) => sum + one, 0)
  return { is: value >= (when.count ?? 1), value, counts }
}

function compared(value: number, op: AlertOp, limit: number): boolean {
  switch (op) {
    case '>':
      return value > limit
    case '>=':
      return value >= limit
    case '<':
      return value < limit
    case '<=':
      return value <= limit
    default:
      return op satisfies never
  }
}

function turned(
  rule: AlertRule,
  { since, calmSince, ...memory }: RuleMemory,
  is: boolean,
  value: number,
  at: number,
  changes: AlertChange[],
): RuleMemory {
  const { id, title, severity, when, calmMs = CALM_MS } = rule
  if (is) {
    const begun = since ?? at
    const isDue = at - begun >= ('metric' in when ? (when.forMs ?? 0) : 0)
    if (memory.alert !== undefined || !isDue) return { ...memory, since: begun }
    const raised = memory.raised + 1
    const alert = `${id}#${raised}`
    changes.push({ type: 'alert:raised', alert, rule: id, title, severity, value })
    return { ...memory, since: begun, raised, alert }
  }
  if (memory.alert === undefined) return memory
  const calm = calmSince ?? at
  if (at - calm < calmMs) return { ...memory, calmSince: calm }
  const { alert, ...rest } = memory
  changes.push({ type: 'alert:resolved', alert, rule: id })
  return rest
}
