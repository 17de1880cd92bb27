import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { styleText } from 'node:util'
import { connections, createSwarm, identify, xauth, xstream, type XStream } from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { firstValueFrom } from 'rxjs'

// Sends a file over an xstream. When the line is cut, the receiver keeps what it has, and the sender goes on from there.
const HEADER_BYTES = 1_024
const MOST_BYTES = 1 << 30
const sha256 = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )

/** Tells what comes, hears how much of it is there already, and sends the rest. */
async function send(stream: XStream, path: string, progress: (sent: number, of: number) => void): Promise<string> {
  const size = await sizeOf(path)
  const header = JSON.stringify({ name: basename(path), size, sha256: await sha256(path) })
  await stream.write(Buffer.from(header.padEnd(HEADER_BYTES)))
  let sent = Number(Buffer.from(await stream.readExact(8)).readBigUInt64BE())
  if (sent > size) throw new Error('the receiver claims to have more than there is')
  for await (const chunk of createReadStream(path, { start: sent })) {
    await stream.write(chunk as Buffer) // waits when the receiver is slow
    progress((sent += (chunk as Buffer).byteLength), size)
  }
  await stream.end()
  return Buffer.from(await stream.readToEnd(HEADER_BYTES)).toString() // what the receiver makes of it
}

/** Every byte is a stranger's: the header has a bound, the name is no path, and no more is taken than was said. */
async function receive(stream: XStream, folder: string): Promise<void> {
  const header: unknown = JSON.parse(Buffer.from(await stream.readExact(HEADER_BYTES)).toString())
  const { name, size, sha256: hash } = header as Record<string, unknown>
  const isUsable =
    typeof name === 'string' && /^[\w.-]{1,100}$/.test(name) && typeof size === 'number' && size <= MOST_BYTES
  if (!isUsable) return stream.fail(Buffer.from('a header that can not be used'))
  const path = join(folder, `${name}.part`)
  let has = await sizeOf(path)
  const offset = Buffer.alloc(8)
  offset.writeBigUInt64BE(BigInt(has))
  await stream.write(offset)
  for await (const chunk of stream.source) {
    if ((has += chunk.byteLength) > size) return stream.fail(Buffer.from('more than was said'))
    await appendFile(path, chunk)
  }
  const isWhole = has === size && (await sha256(path)) === hash
  await stream.write(Buffer.from(isWhole ? 'whole' : 'damaged'))
  await stream.end()
}

const owner = await generateKeyPair('Ed25519')
const node = () =>
  createSwarm({
    use: [connections(), identify(), xauth({ owner }), xstream()],
    listen: ['/ip4/127.0.0.1/udp/0/quic-v1'],
  })
await using alice = await node()
await using bob = await node()
const folder = await mkdtemp(join(tmpdir(), 'send-file-'))
const path = process.argv[2] ?? join(folder, 'holiday.jpg')
if (process.argv[2] === undefined) await writeFile(path, Buffer.alloc(8 << 20, 'pixels of the sea '))

bob.execute(xstream.accept()).subscribe((stream) => void receive(stream, folder).catch(() => undefined))

let cutAt = (await sizeOf(path)) / 2
const bar = (sent: number, of: number) => {
  const full = Math.round((sent / of) * 32)
  if (process.stdout.isTTY)
    process.stdout.write(`\r${styleText('green', '█'.repeat(full).padEnd(32, '░'))} ${sent} bytes`)
  if (sent < cutAt) return
  cutAt = Infinity
  alice.node.getConnections().forEach((connection) => connection.abort(new Error('somebody fell over the cable')))
}
for (let attempt = 1; ; attempt++) {
  try {
    await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
    const stream = await firstValueFrom(alice.execute(xstream.open({ peer: bob.self })))
    const verdict = await send(stream, path, bar)
    console.log(`${process.stdout.isTTY ? '\n' : ''}attempt ${attempt}: ${verdict}`)
    break
  } catch (error) {
    console.log(
      `${process.stdout.isTTY ? '\n' : ''}attempt ${attempt}: ${(error as Error).name}, going on from where it was`,
    )
    if (attempt === 5) throw error
  }
}
await rm(folder, { recursive: true })
