import type { StreamMuxerFactory } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { describe, expect, it } from 'vitest'
import { transportOptions } from '../src/swarm/libp2p/transports.ts'
import { eventually } from './support/wait.ts'

const WHOLE = 3 << 20
const HEADER_BYTES = 12

/** Lengths of the data frames in what went over a wire. @source yamux specification: version, type, flags, id, length */
function dataFrames(wire: Uint8Array): readonly number[] {
  const lengths: number[] = []
  const view = new DataView(wire.buffer, wire.byteOffset, wire.byteLength)
  for (let at = 0; at + HEADER_BYTES <= wire.byteLength;) {
    const isData = view.getUint8(at + 1) === 0
    const length = view.getUint32(at + 8)
    if (isData) lengths.push(length)
    at += HEADER_BYTES + (isData ? length : 0)
  }
  return lengths
}

describe('yamux', () => {
  it('sends frames that every implementation takes, whatever window the remote grants', async () => {
    const ours = (transportOptions(['tcp']).streamMuxers![0] as unknown as () => StreamMuxerFactory)()
    const theirs = yamux({ streamOptions: { initialStreamWindowSize: 8 << 20, maxStreamWindowSize: 16 << 20 } })()
    const [outbound, inbound] = multiaddrConnectionPair()
    const wire: Uint8Array[] = []
    inbound.addEventListener('message', ({ data }) => wire.push(data.subarray()))
    let received = 0
    const remote = theirs.createStreamMuxer(inbound)
    remote.addEventListener('stream', ({ detail: stream }) => {
      stream.addEventListener('message', ({ data }) => (received += data.byteLength))
    })
    const stream = await ours.createStreamMuxer(outbound).createStream()
    stream.send(new Uint8Array(WHOLE))
    await eventually(() => received === WHOLE)

    const frames = dataFrames(Buffer.concat(wire))
    expect(frames.reduce((sum, length) => sum + length, 0)).toBe(WHOLE)
    expect(Math.max(...frames)).toBeLessThanOrEqual(64 * 1_024)
    outbound.abort(new Error('the test is over'))
    inbound.abort(new Error('the test is over'))
  })
})
