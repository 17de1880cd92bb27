import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { XStream } from 'rxswarm'
import { sha256 } from './sha256.ts'

/**
 * Sends a file from wherever the receiver says; resolves with that offset when all of it is there and the hash agrees.
 *
 * On the wire: the length of the header (4 bytes), the header (JSON); back: the offset to go on from (8 bytes); then the bytes.
 */
export async function sendFile(stream: XStream, path: string): Promise<number> {
  const { size } = await stat(path)
  const header = Buffer.from(JSON.stringify({ name: basename(path), size, sha256: await sha256(path) }))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(header.byteLength)
  await stream.write(Buffer.concat([length, header]))
  const start = Number(Buffer.from(await stream.readExact(8)).readBigUInt64BE())
  if (start > size) throw new Error('the receiver claims to have more than there is')
  for await (const chunk of createReadStream(path, { start })) await stream.write(chunk as Buffer)
  await stream.end()
  await stream.readToEnd(0) // ends well, or with what the receiver failed it with
  return start
}
