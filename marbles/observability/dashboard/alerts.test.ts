import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alertMetrics, measure } from '../../../src/observability/dashboard/model/alertMetrics.ts'
import { ALERT_RULES } from '../../../src/observability/dashboard/model/alertRules.ts'
import { evaluateAlerts, type AlertMemory, type AlertRule } from '../../../src/observability/dashboard/model/alerts.ts'
import type { Sample } from '../../../src/observability/dashboard/model/dashboardItem.ts'
import { emptyView, type View } from '../../../src/observability/dashboard/model/dashboardView.ts'
import { reduceView } from '../../../src/observability/dashboard/model/reduceView.ts'
import { dashboard } from 'rxswarm/observability'
import { aSample } from './aSample.ts'
import { itemsByChance } from './itemsByChance.ts'

const few: AlertRule = {
  id: 'few',
  title: 'few',
  severity: 'warning',
  when: { metric: 'connections', op: '<', value: 2, forMs: 2_000 },
  calmMs: 1_000,
}
const often: AlertRule = {
  id: 'often',
  title: 'often',
  severity: 'info',
  when: { event: 'xauth:*', count: 3, withinMs: 2_500 },
  calmMs: 0,
}

/** What is raised and resolved at each of the samples, a second apart. */
function told(
  rule: AlertRule,
  samples: readonly Partial<Sample>[],
  start = emptyView({ self: 'me' }),
): readonly string[] {
  let [memory, view]: [AlertMemory, View] = [{}, start]
  return samples.map((some, i) => {
    const sample = aSample(i * 1_000, some)
    view = reduceView(view, sample)
    const step = evaluateAlerts([rule], memory, sample, view)
    memory = step.memory
    return step.changes.map(({ type, alert }) => `${type.slice(6)} ${alert}`).join()
  })
}
const connected = (...counts: readonly number[]) => counts.map((connections) => ({ connections }))
const failed = (...counts: readonly number[]) =>
  counts.map((count) => ({ events: count === 0 ? {} : { 'xauth:failed': count, 'ping:measured': 50 } }))

describe('evaluateAlerts', () => {
  it('raises a rule once it has been so for long enough, and resolves it once it has been calm', () => {
    expect(told(few, connected(2, 1, 1, 1, 1, 2, 2, 2))).toEqual([
      '',
      '',
      '',
      'raised few#1',
      '',
      '',
      'resolved few#1',
      '',
    ])
  })
  it('forgets what did not last', () => {
    expect(told(few, connected(1, 1, 2, 1, 1, 2))).toEqual(['', '', '', '', '', ''])
  })
  it('does not resolve what comes back before it has been calm, and counts each time', () => {
    expect(told({ ...few, calmMs: 1_500 }, connected(1, 1, 1, 2, 1, 2, 2, 2, 1, 1, 1))).toEqual([
      '',
      '',
      'raised few#1',
      '',
      '',
      '',
      '',
      'resolved few#1',
      '',
      '',
      'raised few#2',
    ])
  })
  it('counts events of types that begin alike, within their time', () => {
    expect(told(often, failed(2, 0, 0, 1, 1, 1, 0, 0, 0))).toEqual([
      '',
      '',
      '',
      '',
      '',
      'raised often#1',
      'resolved often#1',
      '',
      '',
    ])
  })
  it('goes on with what the view knows after a restart', () => {
    const raised = {
      type: 'alert:raised',
      alert: 'few#7',
      rule: 'few',
      title: 'few',
      severity: 'warning',
      at: 0,
    } as const
    const view = reduceView(emptyView({ self: 'me' }), raised)
    expect(told(few, connected(1, 1, 1, 1), view)).toEqual(['', '', '', ''])
    expect(told(few, connected(2, 2), view)).toEqual(['', 'resolved few#7'])
  })
  it('law: each alert is raised once, then resolved at most once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 60 }), (counts) => {
        const changes = told(few, connected(...counts)).filter((change) => change !== '')
        changes.forEach((change, i) =>
          expect(change).toBe(`${i % 2 === 0 ? 'raised' : 'resolved'} few#${(i >> 1) + 1}`),
        )
      }),
    )
  })
  it('law: whatever the view, every metric is a number or nothing', () => {
    fc.assert(
      fc.property(itemsByChance(40), (items) => {
        const view = items.reduce(reduceView, emptyView({ self: 'me' }))
        for (const name of [...Object.keys(alertMetrics), 'rate:__proto__', 'rate:*', 'p99:constructor']) {
          const value = measure(name, view)
          expect(value === undefined || Number.isFinite(value)).toBe(true)
        }
      }),
      { numRuns: 30 },
    )
  })
  it('remembers no more than the time of a rule', () => {
    let memory: AlertMemory = {}
    const view = emptyView({ self: 'me' })
    for (let i = 0; i < 5_000; i++)
      memory = evaluateAlerts([often], memory, aSample(i * 1_000, { events: { 'xauth:denied': 1 } }), view).memory
    expect(memory['often']!.counts.length).toBeLessThanOrEqual(3)
  })
  it('has rules of its own that are none of them wrong', () => {
    expect(dashboard({ alerts: ALERT_RULES }).problems).toEqual([])
  })
})
