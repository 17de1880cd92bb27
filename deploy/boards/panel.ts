/** A question to Prometheus. */
export interface Query {
  readonly expr: string
  /** How its series are called, with labels as `{{label}}`. */
  readonly legend: string
}

/** From where on a value is worth a look, or trouble. */
export type Threshold = readonly [colour: 'yellow' | 'orange' | 'red', from: number]

/** A panel as data. */
export interface Panel {
  readonly kind: 'stat' | 'timeseries' | 'bargauge' | 'table'
  readonly title: string
  /** What it tells, and what to make of it. */
  readonly description: string
  /** By Grafana's names: `s`, `bytes`, `binBps`, `ops`, `percentunit`, `short`. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** @unit columns, of 24 */
  readonly width: number
  /** @unit rows of the grid */
  readonly height: number
  readonly thresholds?: readonly Threshold[]
  /** Whether series are put on top of each other. */
  readonly stacked?: boolean
}

/** What a panel may be told besides what it asks. */
export type PanelExtras = Partial<Pick<Panel, 'thresholds' | 'stacked' | 'width' | 'height'>>

type About = Pick<Panel, 'title' | 'description' | 'unit'>

/** Lines over time. */
export const lines = (about: About, queries: readonly Query[], extras: PanelExtras = {}): Panel => ({
  kind: 'timeseries',
  width: 8,
  height: 8,
  ...about,
  queries,
  ...extras,
})

/** One number. */
export const stat = (about: About, expr: string, extras: PanelExtras = {}): Panel => ({
  kind: 'stat',
  width: 3,
  height: 4,
  ...about,
  queries: [{ expr, legend: about.title }],
  ...extras,
})

/** Bars of what is the most just now. */
export const bars = (about: About, query: Query, extras: PanelExtras = {}): Panel => ({
  kind: 'bargauge',
  width: 8,
  height: 8,
  ...about,
  queries: [query],
  ...extras,
})

/** A line for each series, and a column for each label and query. */
export const table = (about: About, queries: readonly Query[], extras: PanelExtras = {}): Panel => ({
  kind: 'table',
  width: 24,
  height: 7,
  ...about,
  queries,
  ...extras,
})

const datasource = { type: 'prometheus', uid: '${datasource}' }

/** Where a panel stands in the grid. */
interface GridPos {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** Grafana's JSON of a panel. */
export function panelJson(panel: Panel, id: number, gridPos: GridPos): object {
  const { kind, title, description, unit, queries, thresholds = [], stacked = false } = panel
  const isNow = kind !== 'timeseries'
  const hasLines = kind === 'timeseries' && thresholds.length > 0
  return {
    id,
    type: kind,
    title,
    description,
    datasource,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        ...(kind === 'timeseries' || kind === 'bargauge' ? { min: 0 } : {}),
        color: { mode: kind === 'stat' || kind === 'bargauge' ? 'thresholds' : 'palette-classic' },
        thresholds: {
          mode: 'absolute',
          steps: [{ color: 'green', value: null }, ...thresholds.map(([color, value]) => ({ color, value }))],
        },
        ...(kind === 'timeseries' ? { custom: linesOf(stacked, hasLines) } : {}),
      },
      overrides: [],
    },
    options: OPTIONS[kind],
    ...(kind === 'table' ? { transformations: columnsOf(queries) } : {}),
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource,
      editorMode: 'code',
      expr,
      legendFormat: legend,
      range: !isNow,
      instant: isNow,
      format: kind === 'table' ? 'table' : 'time_series',
    })),
  }
}

const linesOf = (stacked: boolean, hasLines: boolean): object => ({
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  fillOpacity: stacked ? 30 : 8,
  gradientMode: 'none',
  showPoints: 'auto',
  spanNulls: false,
  axisPlacement: 'auto',
  stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
  thresholdsStyle: { mode: hasLines ? 'dashed' : 'off' },
})

const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false }

const OPTIONS: Readonly<Record<Panel['kind'], object>> = {
  timeseries: {
    legend: { showLegend: true, displayMode: 'table', placement: 'bottom', calcs: ['mean', 'max', 'lastNotNull'] },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: {
    colorMode: 'value',
    graphMode: 'none',
    justifyMode: 'auto',
    textMode: 'value',
    orientation: 'auto',
    reduceOptions,
  },
  bargauge: { displayMode: 'basic', orientation: 'horizontal', showUnfilled: true, valueMode: 'color', reduceOptions },
  table: {
    showHeader: true,
    cellHeight: 'sm',
    footer: { show: false, reducer: ['sum'], countRows: false, fields: '' },
  },
}

/** One line for each instance, with the value of each query under its name. */
function columnsOf(queries: readonly Query[]): readonly object[] {
  const nameOf = (index: number) => (queries.length > 1 ? `Value #${String.fromCharCode(65 + index)}` : 'Value')
  return [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true, __name__: true },
        indexByName: {},
        renameByName: Object.fromEntries(queries.map(({ legend }, index) => [nameOf(index), legend])),
      },
    },
  ]
}
