import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { boards } from '../../deploy/boards/boards.ts'
import { boardText } from '../../deploy/boards/boardText.ts'
import { metricCatalogue } from '../../src/observability/metrics/catalogue/metricCatalogue.ts'
import type { MetricSpec } from '../../src/observability/metrics/catalogue/metricSpec.ts'

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8')
const catalogue: Readonly<Record<string, MetricSpec>> = metricCatalogue

/** Labels and metrics that come from Prometheus and not from a node. */
const OF_PROMETHEUS = ['up', 'scrape_duration_seconds', 'scrape_samples_scraped', 'ALERTS']
const OF_SCRAPE = ['job', 'instance', 'alertstate', 'le']

interface Placed {
  readonly type: string
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}
const jsonOf = (text: string) => JSON.parse(text) as { readonly uid: string; readonly panels: readonly Placed[] }

/** The metric whose series an expression asks for, whatever a histogram adds to its name. */
function metricOf(name: string): MetricSpec | undefined {
  const histogram = catalogue[name.replace(/_(bucket|sum|count)$/, '')]
  return catalogue[name] ?? (histogram?.type === 'histogram' ? histogram : undefined)
}

/** What is wrong with an expression. */
function flawsOf(expr: string): readonly string[] {
  const flaws: string[] = []
  const selectors = [...expr.matchAll(/(\w+)\{([^{}]*)\}(\[)?/g)]
  if (selectors.length === 0) flaws.push('asks for nothing')
  const known = new Set(OF_SCRAPE)
  for (const [, name = '', conditions = '', range] of selectors) {
    const metric = metricOf(name)
    if (metric === undefined && !OF_PROMETHEUS.includes(name)) flaws.push(`${name} is no metric`)
    if (metric?.type === 'gauge' && range !== undefined) flaws.push(`${name} is no counter`)
    if (metric?.type === 'histogram' && !/_(bucket|sum|count)$/.test(name)) flaws.push(`${name} is a histogram`)
    const labels = [...OF_SCRAPE, ...(metric?.labels ?? [])]
    for (const label of labels) known.add(label)
    for (const [, label = ''] of conditions.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)) {
      if (!labels.includes(label)) flaws.push(`${name} has no label ${label}`)
    }
    for (const chosen of ['job=~"$job"', 'instance=~"$instance"']) {
      if (!conditions.includes(chosen)) flaws.push(`${name} is asked for without ${chosen}`)
    }
  }
  for (const [, by = ''] of expr.matchAll(/by \(([^)]*)\)/g)) {
    for (const label of by.split(',').map((part) => part.trim())) {
      if (!known.has(label)) flaws.push(`nothing has the label ${label}`)
    }
  }
  return flaws
}

describe.each(boards)('the board $name', (board) => {
  const panels = board.rows.flatMap((row) => row.panels)

  it('stands in its file as it is made', () => {
    expect(read(`grafana/boards/${board.name}.json`)).toBe(boardText(board))
  })
  it('asks only for metrics and labels that there are', () => {
    const flaws = panels.flatMap(({ title, queries }) =>
      queries.flatMap(({ expr }) => flawsOf(expr).map((flaw) => `${title}: ${flaw}, in ${expr}`)),
    )
    expect(flaws).toEqual([])
  })
  it('names its series by labels that they have', () => {
    const flaws = panels.flatMap(({ kind, title, queries }) =>
      queries.flatMap(({ expr, legend }) =>
        [...legend.matchAll(/\{\{(\w+)\}\}/g)]
          .map(([, label = '']) => label)
          .filter(
            (label) => kind !== 'table' && label !== 'instance' && !new RegExp(`by \\([^)]*\\b${label}\\b`).test(expr),
          )
          .map((label) => `${title}: ${label}`),
      ),
    )
    expect(flaws).toEqual([])
  })
  it('says of each panel what it tells, and no title twice in a row', () => {
    for (const { title, panels: inRow } of board.rows) {
      const titles = inRow.map((panel) => panel.title)
      expect(new Set(titles).size, title).toBe(titles.length)
      for (const { description, unit } of inRow) expect([description, unit]).not.toContain('')
    }
  })
  it('puts panels beside each other, none over another or beyond the edge', () => {
    const { panels: placed } = jsonOf(boardText(board))
    expect(new Set(placed.map(({ id }) => id)).size).toBe(placed.length)
    const taken = new Map<string, string>()
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of placed) {
      expect(x + w, title).toBeLessThanOrEqual(24)
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          expect(taken.get(`${column} ${row}`), title).toBeUndefined()
          taken.set(`${column} ${row}`, title)
        }
      }
    }
  })
})

describe('the rules of alerts', () => {
  const rules = read('prometheus/rxswarm.rules.yml')
  const alerts = [...rules.matchAll(/- alert: (\w+)\n([\s\S]*?)(?=\n {6}- |\n\n|$)/g)].map(
    ([, name = '', text = '']) => ({
      name,
      text,
    }),
  )
  const runbook = read('runbook.md')
  const tests = read('prometheus/rxswarm.test.yml')

  it('are many', () => expect(alerts.length).toBeGreaterThan(15))
  it.each(alerts)('$name says how bad it is and what to do, and is tested', ({ name, text }) => {
    expect(text).toMatch(/severity: (info|warning|critical) /)
    for (const part of ['summary', 'description']) expect(text).toMatch(new RegExp(`${part}: \\S`))
    expect(text).toContain(`runbook: deploy/runbook.md#${name.toLowerCase()}`)
    expect(runbook).toContain(`\n## ${name}\n`)
    expect(tests).toMatch(new RegExp(`alertname(="|: )${name}\\b`))
  })
  it('and the recordings ask only for metrics that there are', () => {
    const names = new Set(rules.match(/(?<![:\w])(rxswarm|nodejs|process)_\w+/g))
    const unknown = [...names].filter((name) => metricOf(name) === undefined && !rules.includes(`name: ${name}`))
    expect(unknown).toEqual([])
  })
  it('leave no section of the runbook without an alert', () => {
    const sections = [...runbook.matchAll(/^## (\w+)$/gm)].map(([, name]) => name)
    expect(sections).toEqual(alerts.map(({ name }) => name))
  })
})
