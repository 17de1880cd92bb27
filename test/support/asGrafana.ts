import type { Prometheus } from './prometheus.ts'

/** What is asked of a board here. */
export interface GrafanaBoard {
  readonly title: string
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[]
  }
  readonly panels: readonly {
    readonly title: string
    readonly targets?: readonly { readonly expr: string }[]
  }[]
}

/** Values of the variables of a board when all of each are chosen, as Grafana puts them into queries. */
export async function variablesOf(
  { templating }: GrafanaBoard,
  prometheus: Prometheus,
): Promise<ReadonlyMap<string, string>> {
  const values = new Map([
    ['__rate_interval', '5s'],
    ['__interval', '1s'],
    ['__range', '30s'],
  ])
  for (const { name, type, definition = '' } of templating.list) {
    if (type !== 'query') continue
    const [, series = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? []
    const found = await prometheus.ask<readonly string[]>(`label/${label}/values`, {
      'match[]': filledIn(series, values),
    })
    if (found.length === 0) throw new Error(`the variable ${name} has no values: ${definition}`)
    values.set(name, `(${found.map(escaped).join('|')})`)
  }
  return values
}

/** A query with the values of variables in it. @errors for a variable that nobody has set */
export function filledIn(expr: string, values: ReadonlyMap<string, string>): string {
  return expr.replace(/\$(\w+)/g, (_, name: string) => {
    const value = values.get(name)
    if (value === undefined) throw new Error(`no variable is called ${name}`)
    return value
  })
}

/** For a regular expression within a text of PromQL. */
const escaped = (value: string) => value.replace(/[\\^$*+?.()|[\]{}/]/g, '\\\\$&')
