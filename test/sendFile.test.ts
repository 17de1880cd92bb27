import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connections, createSwarm, identify, xstream, type XStream } from 'rxswarm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { receiveFile } from '../examples/security/receiveFile.ts'
import { sendFile } from '../examples/security/sendFile.ts'
import { first, group, nth } from './support/swarms.ts'
import { failure } from './support/wait.ts'

const start = () =>
  createSwarm({ use: [connections(), identify(), xstream()], listen: ['/ip4/127.0.0.1/udp/0/quic-v1'] })
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251)

/** A header as a peer may write it. */
function framed(header: string, length = Buffer.byteLength(header)): Uint8Array {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(length)
  return Buffer.concat([prefix, Buffer.from(header)])
}
const headerOf = (fields: object = {}) =>
  framed(JSON.stringify({ name: 'a.bin', size: data.byteLength, sha256: hashOf(data), ...fields }))

describe('sendFile and receiveFile', () => {
  let folder = ''
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'rxswarm-send-'))))
  afterEach(() => rm(folder, { recursive: true }))

  /** Lets a sender loose on a receiver; what came of each. */
  async function meet<T>(send: (stream: XStream) => Promise<T>) {
    await using swarms = group([await start(), await start()])
    const [alice, bob] = [nth(swarms, 0), nth(swarms, 1)]
    const received = Promise.withResolvers<string>()
    bob.execute(xstream.accept()).subscribe((stream) => {
      receiveFile(stream, folder, () => undefined).then(
        () => received.resolve('received'),
        ({ message }: Error) => {
          received.resolve(message)
          return stream.fail(Buffer.from(message)).catch(() => undefined)
        },
      )
    })
    await first(alice.execute(connections.dial({ to: bob.addresses })))
    const sent = await send(await first(alice.execute(xstream.open({ peer: bob.self }))))
    return { sent, received: await received.promise }
  }
  const part = () => join(folder, `${hashOf(data)}.part`)
  async function source(bytes: Uint8Array) {
    const path = join(folder, 'source.bin')
    await writeFile(path, bytes)
    return path
  }

  it('sends all of a file to who has nothing of it', async () => {
    const path = await source(data)
    expect(await meet((stream) => sendFile(stream, path))).toEqual({ sent: 0, received: 'received' })
    expect(Buffer.compare(await readFile(part()), data)).toBe(0)
  })
  it.each([1, 100_000, data.byteLength])('goes on from byte %i when so many are there', async (has) => {
    const path = await source(data)
    await writeFile(part(), data.subarray(0, has))
    expect(await meet((stream) => sendFile(stream, path))).toEqual({ sent: has, received: 'received' })
    expect(Buffer.compare(await readFile(part()), data)).toBe(0)
  })
  it('sends a file without bytes', async () => {
    const path = await source(new Uint8Array())
    expect(await meet((stream) => sendFile(stream, path))).toEqual({ sent: 0, received: 'received' })
  })
  it('throws away what is whole and wrong, and tells the sender why', async () => {
    const path = await source(data)
    await writeFile(part(), new Uint8Array(100))
    const { sent, received } = await meet((stream) => failure(sendFile(stream, path)))
    expect(received).toBe('the SHA-256 does not agree')
    expect(sent.message).toContain('the SHA-256 does not agree')
    expect(await readdir(folder)).toEqual(['source.bin'])
  })
  it('begins anew when a liar has left more than there is', async () => {
    const path = await source(data)
    await writeFile(part(), new Uint8Array(data.byteLength + 1))
    expect(await meet((stream) => sendFile(stream, path))).toEqual({ sent: 0, received: 'received' })
    expect(Buffer.compare(await readFile(part()), data)).toBe(0)
  })
  it('takes no more than was said', async () => {
    const { received } = await meet(async (stream) => {
      await stream.write(headerOf({ size: 10 }))
      await stream.write(data).catch(() => undefined)
    })
    expect(received).toBe('more bytes than the header said')
    expect((await readFile(part())).byteLength).toBe(0)
  })
  it.each([
    ['a length beyond the bound', framed('{}', 5_000), 'a header that is too long'],
    ['nothing of an object', framed('null'), 'a header that can not be used'],
    ['a hash that is a path', headerOf({ sha256: '../../etc/passwd' }), 'a header that can not be used'],
    ['a size below nothing', headerOf({ size: -1 }), 'a header that can not be used'],
    ['a size beyond the bound', headerOf({ size: 2 ** 40 }), 'a header that can not be used'],
    ['a size that is text', headerOf({ size: '10' }), 'a header that can not be used'],
    ['a name that is none', headerOf({ name: 7 }), 'a header that can not be used'],
  ])('refuses a header with %s, and leaves no file', async (_what, header, why) => {
    const { received } = await meet((stream) => stream.write(header))
    expect(received).toBe(why)
    expect(await readdir(folder)).toEqual([])
  })
})
