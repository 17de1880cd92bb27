import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { StorageError } from '../../../errors/errors.ts'

/** What a lock file says about its owner. */
interface Owner {
  readonly pid: number
  readonly host: string
  /** When the process was started, where the system tells: a number may be given to another process later. */
  readonly started: string
  /** Tells this lock from all others. */
  readonly token: string
}

/** Locks of this process. */
const held = new Set<string>()

/** A lock that was taken. */
export interface AuditLock {
  /** Whether its owner before was killed. */
  readonly wasStale: boolean
  /** Gives it back. */
  release(): Promise<void>
}

/**
 * Takes the lock of a log, so that no other writer gets between its lines.
 *
 * @shape  A file with the id of this process; one that a dead process of this machine left behind is taken over.
 * @errors `StorageError` when another writer has it; those of node:fs.
 */
export async function takeLock(path: string): Promise<AuditLock> {
  const key = resolve(path)
  if (held.has(key)) throw isHeld(path, 'this process')
  held.add(key)
  try {
    const mine = await ownerHere()
    const wasStale = await create(path, JSON.stringify(mine))
    return {
      wasStale,
      async release() {
        held.delete(key)
        if (ownerOf(await text(path))?.token === mine.token) await rm(path, { force: true })
      },
    }
  } catch (error) {
    held.delete(key)
    throw error
  }
}

/** @returns whether a stale lock was in the way */
async function create(path: string, mine: string): Promise<boolean> {
  if (await written(path, mine)) return false
  const before = await text(path)
  const owner = ownerOf(before)
  if (before !== undefined && (await isAlive(owner))) {
    throw isHeld(path, owner === undefined ? 'somebody' : `process ${owner.pid} on ${owner.host}`)
  }
  // Two processes may find the same stale lock: each moves what is there aside, and looks at what it has moved.
  const aside = `${path}.${randomUUID()}`
  await rename(path, aside).catch(ignoreMissing)
  const moved = await text(aside)
  if (moved !== undefined && moved !== before) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
  if (await written(path, mine)) return true
  throw isHeld(path, 'another process, just now')
}

async function written(path: string, mine: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`
  await writeFile(temporary, mine, { flag: 'wx', mode: 0o640 })
  try {
    await link(temporary, path) // whole or not at all: a lock that is half written would look like nobody's
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

function isHeld(path: string, by: string): StorageError {
  return new StorageError(`audit log is written by ${by}: one writer at a time. If that is wrong, delete ${path}`)
}

async function ownerHere(): Promise<Owner> {
  return { pid: process.pid, host: hostname(), started: await startOf(process.pid), token: randomUUID() }
}

/** Of another machine nothing is known: its writers count as alive. A lock that can't be read, too. */
async function isAlive(owner: Owner | undefined): Promise<boolean> {
  if (owner === undefined || owner.host !== hostname()) return true
  if (owner.pid === process.pid) return false // not among those of this process, so of one that had its number
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const started = await startOf(owner.pid)
  return started === '' || owner.started === '' || started === owner.started
}

/** When a process was started, in the ticks of this boot; empty where the system does not tell. */
async function startOf(pid: number): Promise<string> {
  const [stat, boot] = [await text(`/proc/${pid}/stat`), await text('/proc/sys/kernel/random/boot_id')]
  const ticks = stat?.slice(stat.lastIndexOf(')')).split(' ')[20]
  return ticks === undefined || boot === undefined ? '' : `${boot.trim()}/${ticks}`
}

function ownerOf(json: string | undefined): Owner | undefined {
  try {
    const { pid, host, started, token } = JSON.parse(json ?? '') as Partial<Owner>
    if (!Number.isSafeInteger(pid) || pid! <= 0) return undefined
    return { pid: pid!, host: String(host), started: String(started), token: String(token) }
  } catch {
    return undefined
  }
}

async function text(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
