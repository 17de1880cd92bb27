/** The value of a series in Prometheus' text; labels in any order. Nothing when there is no such series. */
export function sample(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  for (const line of text.split('\n')) {
    const [, full, inner = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (full === name && wanted.every((label) => inner.includes(label))) return Number(value)
  }
  return undefined
}

/** How many series a metric has in Prometheus' text. */
export function seriesOf(text: string, name: string): number {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)).length
}
