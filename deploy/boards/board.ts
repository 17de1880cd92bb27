import { boardVariables } from './boardVariables.ts'
import { panelJson, type Panel } from './panel.ts'

/** A part of a board, with a heading. */
export interface BoardRow {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** A board as data, from which Grafana's JSON is made. */
export interface Board {
  /** By which links find it; also the name of its file. */
  readonly name: string
  readonly title: string
  /** What can be seen on it. */
  readonly description: string
  readonly rows: readonly BoardRow[]
}

/** Columns of Grafana's grid. */
const COLUMNS = 24

/** Of Grafana 12, which reads older ones too. */
const SCHEMA_VERSION = 41

/** Grafana's JSON of a board. @shape Panels flow from left to right; a row of panels is as high as its highest. */
export function boardJson({ name, title, description, rows }: Board): object {
  return {
    uid: `rxswarm-${name}`,
    title,
    description,
    tags: ['rxswarm'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1, // one cross-hair for all panels
    fiscalYearStartMonth: 0,
    liveNow: false,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    timepicker: {},
    timezone: 'browser',
    annotations: { list: [] },
    links: [
      {
        title: 'rxswarm',
        type: 'dashboards',
        tags: ['rxswarm'],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        icon: 'external link',
        tooltip: '',
        url: '',
      },
    ],
    templating: { list: boardVariables },
    panels: laidOut(rows),
  }
}

function laidOut(rows: readonly BoardRow[]): readonly object[] {
  const panels: object[] = []
  let y = 0
  for (const row of rows) {
    const gridPos = { x: 0, y: y++, w: COLUMNS, h: 1 }
    panels.push({ id: panels.length + 1, type: 'row', title: row.title, collapsed: false, gridPos, panels: [] })
    let [x, highest] = [0, 0]
    for (const panel of row.panels) {
      if (x + panel.width > COLUMNS) {
        y += highest
        x = highest = 0
      }
      panels.push(panelJson(panel, panels.length + 1, { x, y, w: panel.width, h: panel.height }))
      x += panel.width
      highest = Math.max(highest, panel.height)
    }
    y += highest
  }
  return panels
}
