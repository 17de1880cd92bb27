import type { Probed } from '../../swarm/vocabulary/probe.ts'
import type { ProtocolBytes } from './model/dashboardItem.ts'

/** Where the module `metrics`, when it is in use, counts bytes: one cell for each protocol, direction and transport. */
interface Counting {
  readonly meters?: {
    readonly rxswarm_bytes_total?: {
      readonly cells: readonly { readonly value: number; readonly labels: readonly string[] }[]
    }
  }
}

/**
 * Bytes by protocol since the last time it was called, of what the module `metrics` counts.
 *
 * @shape  A function with a memory: the counts of the last time. Nothing when nobody counts. Bound: the series of the metric.
 */
export function bytesByProtocol({ modules, probeOf }: Pick<Probed, 'modules' | 'probeOf'>) {
  const metrics = modules.find(({ name }) => name === 'metrics')
  let before = new Map<string, number>()
  return (): readonly ProtocolBytes[] | undefined => {
    const counting = metrics === undefined ? undefined : (probeOf(metrics) as Counting | undefined)
    const cells = counting?.meters?.rxswarm_bytes_total?.cells
    if (cells === undefined) return undefined
    const [now, bytes] = [new Map<string, number>(), new Map<string, { in: number; out: number }>()]
    for (const { value, labels } of cells) {
      const [protocol = '', direction] = labels
      const key = labels.join('\0')
      const more = value - (before.get(key) ?? 0)
      now.set(key, value)
      if (more <= 0) continue
      const of = bytes.get(protocol) ?? { in: 0, out: 0 }
      of[direction === 'received' ? 'in' : 'out'] += more
      bytes.set(protocol, of)
    }
    before = now
    return [...bytes].map(([protocol, of]) => ({ protocol, ...of }))
  }
}
