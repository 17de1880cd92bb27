import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** The hash of a file, without having all of it in memory. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
