import { randomBytes } from 'node:crypto'
import type { Datastore } from 'interface-datastore'
import { Key } from 'interface-datastore'
import { StorageError } from '../../../errors/errors.ts'
import { cookieSeal } from './cookies.ts'
import type { StoreChange, StoredPoint, StoredRegistration } from './rendezvousVocabulary.ts'

const ROOM = '/rxswarm/rendezvous'
const SECRET = new Key(`${ROOM}/secret`)
const LAST = new Key(`${ROOM}/last`)
const KEY_BYTES = 32

/** What is kept of a registration, as JSON; its records as base64. */
interface Kept {
  readonly peer: string
  readonly namespace: string
  readonly recordSeq: string
  readonly expiresAt: number
  readonly seq: number
  readonly records: Readonly<Record<string, string>>
}

/** Keeps the registrations of a point in a datastore. */
export class PointStore {
  readonly #datastore: Datastore
  #isRead = false

  constructor(datastore: Datastore) {
    this.#datastore = datastore
  }

  /** Everything that is kept and still holds. @errors `StorageError` */
  async load(now: number): Promise<StoredPoint> {
    try {
      const key = await this.#secret()
      const registrations: StoredRegistration[] = []
      const stale: Key[] = []
      for await (const { key: name, value } of this.#datastore.query({ prefix: `${ROOM}/at` })) {
        const one = read(value)
        if (one === undefined || one.expiresAt <= now) stale.push(name)
        else registrations.push(one)
      }
      for (const name of stale) await this.#datastore.delete(name)
      const last = (await this.#datastore.has(LAST))
        ? Number(new TextDecoder().decode(await this.#datastore.get(LAST)))
        : 0
      const sorted = registrations.toSorted((one, other) => one.seq - other.seq)
      this.#isRead = true
      const seq = Math.max(Number.isSafeInteger(last) ? last : 0, sorted.at(-1)?.seq ?? 0)
      return { registrations: sorted, seq, cookies: cookieSeal(key) }
    } catch (cause) {
      throw storageError('what it had kept can not be read', cause)
    }
  }

  /**
   * Keeps changes, one after the other.
   *
   * @errors `StorageError`, also when what is kept could not be read: its numbers would be given out again.
   */
  async save(changes: readonly StoreChange[]): Promise<void> {
    try {
      if (!this.#isRead) throw new Error('what is kept there was not read; start again when it can be')
      for (const change of changes) {
        if ('drop' in change) {
          await this.#datastore.delete(nameOf(change.drop.peer, change.drop.namespace))
        } else {
          const { put } = change
          await this.#datastore.put(nameOf(put.peer, put.namespace), written(put))
          await this.#datastore.put(LAST, new TextEncoder().encode(String(put.seq)))
        }
      }
    } catch (cause) {
      throw storageError('a registration can not be kept', cause)
    }
  }

  async #secret(): Promise<Uint8Array> {
    if (await this.#datastore.has(SECRET)) {
      const key = await this.#datastore.get(SECRET)
      if (key.length === KEY_BYTES) return key
    }
    const key = randomBytes(KEY_BYTES)
    await this.#datastore.put(SECRET, key)
    return key
  }
}

/** A point without anything kept. */
export function freshPoint(): StoredPoint {
  return { registrations: [], seq: 0, cookies: cookieSeal(randomBytes(KEY_BYTES)) }
}

function nameOf(peer: string, namespace: string): Key {
  return new Key(`${ROOM}/at/${Buffer.from(namespace).toString('base64url')}/${peer}`)
}

function written({ records, recordSeq, ...rest }: StoredRegistration): Uint8Array {
  const texts = Object.entries(records).map(([form, bytes]) => [form, Buffer.from(bytes).toString('base64')])
  const kept: Kept = { ...rest, recordSeq: String(recordSeq), records: Object.fromEntries(texts) as Kept['records'] }
  return new TextEncoder().encode(JSON.stringify(kept))
}

/** A registration as it was kept; nothing when it is cut short, or was changed by somebody. */
function read(value: Uint8Array): StoredRegistration | undefined {
  try {
    const kept = JSON.parse(new TextDecoder().decode(value)) as Kept
    const { peer, namespace, recordSeq, expiresAt, seq, records } = kept
    const isGood = typeof peer === 'string' && typeof namespace === 'string' && Number.isSafeInteger(seq)
    if (!isGood || typeof expiresAt !== 'number') return undefined
    const forms = (['standard', 'rust'] as const).flatMap((form) =>
      typeof records[form] === 'string' ? [[form, new Uint8Array(Buffer.from(records[form], 'base64'))]] : [],
    )
    if (forms.length === 0) return undefined
    return { peer, namespace, recordSeq: BigInt(recordSeq), expiresAt, seq, records: Object.fromEntries(forms) }
  } catch {
    return undefined
  }
}

function storageError(what: string, cause: unknown): StorageError {
  return new StorageError(`rendezvous point: ${what}: ${(cause as Error).message}`, { cause })
}
