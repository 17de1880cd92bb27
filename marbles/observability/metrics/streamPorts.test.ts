import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { makeMeters } from '../../../src/observability/metrics/meters.ts'
import type { MetricFamily } from '../../../src/observability/metrics/metricFamily.ts'
import { countStreams } from '../../../src/observability/metrics/streamPorts.ts'

/** A node whose streams are counted, and a way to open one. */
function counted() {
  const meters = makeMeters({ defaultLabels: {}, peerLabels: 0 })
  const failed: string[] = []
  const registrar = { getMiddleware: (_protocol: string): unknown[] => [] }
  const node = { services: { 'rxswarm:internals': { components: { registrar } } } }
  countStreams(node as never, { meters, peerLabels: 0, failed: (what: string) => failed.push(what) } as never)
  const connection = {
    id: 'c',
    remotePeer: 'p',
    remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/1'),
    direction: 'inbound',
    timeline: { open: 0 },
    direct: true,
  }
  const open = (parts: object) => {
    const told: unknown[] = []
    const stream = {
      protocol: '/a/1',
      direction: 'inbound',
      status: 'open',
      timeline: { open: 1_000, close: 3_500 },
      readBufferLength: 7,
      dispatchEvent: (event: { readonly type: string }) => told.push(event.type) > 0,
      ...parts,
    }
    let passedOn = 0
    for (const middleware of registrar.getMiddleware('/a/1') as ((...given: unknown[]) => void)[]) {
      middleware(stream, connection, () => passedOn++)
    }
    return { stream: stream as unknown as Record<string, (...given: unknown[]) => unknown>, told, passedOn }
  }
  return { meters, failed, open }
}

const valuesOf = ({ cells }: MetricFamily) =>
  Object.fromEntries(cells.map(({ labels, value }) => [labels.join(), value]))

/** Takes all but one byte of what it is given. */
const usual = { onData: () => undefined, sendData: ({ byteLength }: Uint8Array) => ({ sentBytes: byteLength - 1 }) }

describe('countStreams', () => {
  it('counts a stream and its bytes, those that came before too, and that it is over, once', () => {
    const { meters, failed, open } = counted()
    const { stream, told, passedOn } = open(usual)
    stream['onData']!(new Uint8Array(5))
    expect(stream['sendData']!(new Uint8Array(11))).toEqual({ sentBytes: 10 })
    expect(valuesOf(meters.rxswarm_streams)).toEqual({ '/a/1,inbound': 1 })
    stream['dispatchEvent']!({ type: 'message' })
    stream['dispatchEvent']!({ type: 'close' })
    stream['dispatchEvent']!({ type: 'close' })
    expect(valuesOf(meters.rxswarm_streams)).toEqual({ '/a/1,inbound': 0 })
    expect(valuesOf(meters.rxswarm_streams_opened_total)).toEqual({ '/a/1,inbound,tcp': 1 })
    expect(valuesOf(meters.rxswarm_streams_closed_total)).toEqual({ '/a/1,inbound,closed': 1 })
    expect(valuesOf(meters.rxswarm_bytes_total)).toEqual({ '/a/1,sent,tcp': 10, '/a/1,received,tcp': 12 })
    expect(valuesOf(meters.rxswarm_stream_duration_seconds)).toEqual({ '/a/1': 2.5 })
    expect([told, passedOn, failed]).toEqual([['message', 'close', 'close'], 1, []])
  })
  it.each(['reset', 'aborted'])('tells one that was %s before it was seen', (status) => {
    const { meters, open } = counted()
    open({ ...usual, status })
    expect(valuesOf(meters.rxswarm_streams)).toEqual({ '/a/1,inbound': 0 })
    expect(valuesOf(meters.rxswarm_streams_closed_total)).toEqual({ [`/a/1,inbound,${status}`]: 1 })
  })
  it('lets a stream that it does not know pass, and does not count it as open for ever', () => {
    const { meters, failed, open } = counted()
    expect(open({}).passedOn).toBe(1)
    expect(failed).toEqual(['stream'])
    expect(valuesOf(meters.rxswarm_streams)).toEqual({})
  })
})
