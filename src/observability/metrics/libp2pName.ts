import type { MetricSpec } from './catalogue/metricSpec.ts'

/** What Prometheus tells apart. */
export type MetricType = MetricSpec['type']

/** What libp2p registers as something that goes up and down, and only ever adds to. */
const COUNTED = /_(errors|events)_total$/

/** What only the samples of a histogram end with. */
const RESERVED = /_(bucket|count|sum)$/

/**
 * A metric of libp2p's as Prometheus wants it: a counter ends with `_total` and nothing else does, and a time is in seconds.
 *
 * @param type What libp2p registers it as.
 * @returns Its name, and what it is.
 */
export function libp2pName(given: string, type: MetricType): { readonly name: string; readonly type: MetricType } {
  const name = cleaned(given).replace(/_milliseconds(?=_total$|$)/, '_seconds')
  if (type === 'counter') return { name: name.endsWith('_total') ? name : `${name}_total`, type }
  if (type === 'gauge' && COUNTED.test(name)) return { name, type: 'counter' }
  return { name: name.replace(/_total$/, '').replace(RESERVED, '_$1s'), type }
}

/** A name of a metric or a label with nothing in it that Prometheus does not take. */
export function cleaned(name: string): string {
  return name
    .replace(/\W/g, '_')
    .replace(/_+/g, '_')
    .replace(/^(?=\d)/, '_')
}

/** Brings what libp2p tells in milliseconds into seconds; the variance of a time is in their square. */
export function unitOf(given: string): (value: number, key?: string) => number {
  if (!/_milliseconds(_total)?$/.test(given)) return (value) => value
  return (value, key = '') => value / (key.endsWith('Variance') ? 1_000_000 : 1_000)
}
