import { open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const COPY_BYTES = 1_024 * 1_024
const MOST_COPIES = 100_000

/** Whether the error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** The first name that nobody has: nothing is ever written over. */
async function freeName(nameOf: (copy: number) => string): Promise<string> {
  for (let copy = 0; copy < MOST_COPIES; copy++) {
    const name = nameOf(copy)
    try {
      await stat(name)
    } catch (error) {
      if (isMissing(error)) return name
      throw error
    }
  }
  throw new Error(`there are more than ${MOST_COPIES} files like ${nameOf(0)}`)
}

/** Gives a file a name that nobody has. @returns the name */
export async function moveTo(path: string, nameOf: (copy: number) => string): Promise<string> {
  const name = await freeName(nameOf)
  await rename(path, name)
  await syncFolder(dirname(path))
  return name
}

/** Moves the bytes from a place to the end of a file into a file of their own. @returns its name */
export async function moveTail(path: string, from: number, nameOf: (copy: number) => string): Promise<string> {
  const name = await freeName(nameOf)
  const source = await open(path, 'r+')
  try {
    const target = await open(name, 'wx', 0o640)
    try {
      const piece = Buffer.alloc(COPY_BYTES)
      for (let at = from; ;) {
        const { bytesRead } = await source.read(piece, 0, piece.length, at)
        if (bytesRead === 0) break
        await target.writeFile(piece.subarray(0, bytesRead))
        at += bytesRead
      }
      await target.sync()
    } finally {
      await target.close()
    }
    await source.truncate(from)
    await source.sync()
  } finally {
    await source.close()
  }
  return name
}

/** Puts the missing line break at the end of a file. */
export async function endLine(path: string): Promise<void> {
  const file = await open(path, 'a')
  try {
    await file.writeFile('\n')
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes new names last through a crash of the machine, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // Windows can't open folders, and some file systems can't sync them; there the names last as long as the system says.
  }
}
