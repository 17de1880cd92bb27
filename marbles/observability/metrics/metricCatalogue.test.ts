import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { metricCatalogue } from '../../../src/observability/metrics/catalogue/metricCatalogue.ts'
import { WAITS } from '../../../src/observability/metrics/catalogue/metricSpec.ts'
import { WAITED_MS } from '../../../src/operators/fair/fairLane.ts'

/** Rows of the tables of the manual that begin with the name of a metric. */
const rows = readFileSync('docs/observe/metrics.md', 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, name]) => /^`(rxswarm|process|nodejs)_\w+`$/.test(name ?? ''))
  .map(([, name, type, unit, labels, help]) => [name!.slice(1, -1), type, unit, labels, help])

function unitOf(name: string): string {
  if (/_seconds(_total)?$/.test(name)) return 'seconds'
  return /_bytes(_total)?$/.test(name) ? 'bytes' : ''
}

describe('metricCatalogue', () => {
  const metrics = Object.entries(metricCatalogue)
  it('is what the manual says: every metric, its type, unit, labels and meaning', () => {
    const told = metrics.map(([name, { type, labels, help }]) => [
      name,
      type,
      unitOf(name),
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ])
    expect(rows).toHaveLength(told.length)
    expect(rows).toEqual(expect.arrayContaining(told))
  })
  it.each(metrics)('%s is named as Prometheus wants it', (name, { type, labels, bounds = [] }) => {
    expect(name).toMatch(/^(rxswarm|process|nodejs)_[a-z_]+$/)
    expect(name.endsWith('_total')).toBe(type === 'counter')
    if (type === 'histogram') expect(name).toMatch(/_seconds$/)
    for (const label of labels) expect(label).toMatch(/^(?!le$|quantile$)[a-z_]+$/)
    expect(labels.length).toBeLessThanOrEqual(4)
    expect(bounds).toEqual(bounds.toSorted((one, other) => one - other))
  })
  it('tells waits in lanes apart as the lanes do', () => {
    expect(WAITED_MS.map((ms) => ms / 1_000)).toEqual(WAITS)
  })
})
