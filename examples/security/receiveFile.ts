import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { XStream } from 'rxswarm'
import { sha256 } from './sha256.ts'

const MOST_HEADER_BYTES = 4_096
const MOST_FILE_BYTES = 1 << 30
const CHUNK_BYTES = 64 << 10

/** A peer wrote it: its length is bounded, its fields are looked at, and its name is only ever shown. */
async function readHeader(stream: XStream): Promise<{ name: string; size: number; sha256: string }> {
  const length = Buffer.from(await stream.readExact(4)).readUInt32BE()
  if (length > MOST_HEADER_BYTES) throw new Error('a header that is too long')
  const json = JSON.parse(Buffer.from(await stream.readExact(length)).toString()) as Record<string, unknown> | null
  const { name, size, sha256: hash } = json ?? {}
  const isSize = Number.isSafeInteger(size) && Number(size) >= 0 && Number(size) <= MOST_FILE_BYTES
  const isHash = typeof hash === 'string' && /^[\da-f]{64}$/.test(hash)
  if (typeof name !== 'string' || !isSize || !isHash) throw new Error('a header that can not be used')
  return { name, size: Number(size), sha256: hash }
}

/** Takes a file into a folder, and keeps what it has when the line is cut: the next try goes on from there. */
export async function receiveFile(stream: XStream, folder: string, onBytes: (has: number, of: number) => void) {
  const { size, sha256: hash } = await readHeader(stream)
  const path = join(folder, `${hash}.part`) // by its hash, so that a part of another file is never gone on with
  await using file = await open(path, 'a')
  let { size: has } = await file.stat()
  if (has > size) await file.truncate((has = 0)) // a liar was here before
  const offset = Buffer.alloc(8)
  offset.writeBigUInt64BE(BigInt(has))
  await stream.write(offset)
  for (let chunk; (chunk = await stream.readChunk(CHUNK_BYTES)) !== undefined; onBytes(has, size)) {
    if ((has += chunk.byteLength) > size) throw new Error('more bytes than the header said')
    await file.appendFile(chunk)
  }
  if ((await sha256(path)) === hash) return stream.end()
  await rm(path) // whole, and wrong: nothing of it is worth keeping
  throw new Error('the SHA-256 does not agree')
}
