import type { AnyModule, Probe } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { bytesByProtocol } from '../../../src/observability/dashboard/bytesByProtocol.ts'

const metrics = { name: 'metrics' } as AnyModule
const cell = (value: number, ...labels: readonly string[]) => ({ value, labels })

describe('bytesByProtocol', () => {
  it('tells what came since the last time, of all transports together', () => {
    let cells = [cell(5, '/a', 'sent', 'tcp'), cell(7, '/a', 'received', 'tcp'), cell(1, '/b', 'sent', 'quic')]
    const take = bytesByProtocol({
      modules: [metrics],
      probeOf: () => ({ meters: { rxswarm_bytes_total: { cells } } }) as Probe,
    })
    expect(take()).toEqual([
      { protocol: '/a', in: 7, out: 5 },
      { protocol: '/b', in: 0, out: 1 },
    ])
    cells = [cell(9, '/a', 'sent', 'tcp'), cell(7, '/a', 'received', 'tcp'), cell(2, '/a', 'sent', 'quic')]
    expect(take()).toEqual([{ protocol: '/a', in: 0, out: 6 }])
    expect(take()).toEqual([])
  })
  it('is nothing when nobody counts', () => {
    expect(bytesByProtocol({ modules: [], probeOf: () => undefined })()).toBeUndefined()
    expect(bytesByProtocol({ modules: [metrics], probeOf: () => ({}) })()).toBeUndefined()
  })
})
