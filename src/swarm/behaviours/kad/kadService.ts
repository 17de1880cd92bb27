import { kadDHT, passthroughMapper, Record, type KadDHT, type KadDHTComponents, type KadDHTInit } from '@libp2p/kad-dht'
import { firstValueFrom, Subject } from 'rxjs'
import { equalBytes } from '../../libp2p/equalBytes.ts'
import { asSwarmError } from '../../perform.ts'
import { InvalidRecordError, type SwarmError } from '../../../errors/errors.ts'
import type { KadDecisions } from './kadBehaviour.ts'
import { selectRecord, validateRecord, type RecordRules } from './kadRules.ts'

/** What a rule refused of what others sent. */
export type Refusal = { readonly key: string; readonly error: SwarmError }

/** The DHT of a node, with what its rules refused. */
export type KadService = KadDHT & { readonly refused$: Subject<Refusal> }

/** A peer that is gone must not eat the deadline of a query; a record of `maxRecordBytes` takes less. @unit milliseconds */
const PEER_TIMEOUT = { minTimeout: 2_000, maxTimeout: 4_000 }

/** Messages at once on one connection. Libp2p's own limit of 32 loses puts of a busy node without an error. */
const STREAMS = 512

/** The first look at the neighbourhood: libp2p waits 1 s, and every query with it. @unit milliseconds */
const FIRST_LOOK_MS = 10

/** Where libp2p keeps its records. */
const RECORDS = '/dht/record/'

type Key = Parameters<KadDHTComponents['datastore']['get']>[0]

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** The libp2p service behind {@link kadPorts}. */
export function kadService(protocol: string, { records, mode, maxRecordBytes }: KadDecisions) {
  return (components: KadDHTComponents): KadService => {
    const refused$ = new Subject<Refusal>()
    const namespaces = Object.keys(records)
    const validate = async (key: Uint8Array, value: Uint8Array) => {
      try {
        await firstValueFrom(validateRecord(records, text(key), value, maxRecordBytes))
      } catch (error) {
        refused$.next({ key: text(key), error: asSwarmError(error) })
        throw error
      }
    }
    const select = (key: Uint8Array, values: Uint8Array[]) => firstValueFrom(selectRecord(records, text(key), values))
    const init: KadDHTInit = {
      protocol,
      clientMode: mode !== 'server',
      peerInfoMapper: passthroughMapper,
      initialQuerySelfInterval: FIRST_LOOK_MS,
      networkDialTimeout: PEER_TIMEOUT,
      maxInboundStreams: STREAMS,
      maxOutboundStreams: STREAMS,
      validators: Object.fromEntries(namespaces.map((namespace) => [namespace, validate])),
      selectors: Object.fromEntries(namespaces.map((namespace) => [namespace, select])),
    }
    const datastore = keepingTheBest(components.datastore, records, (refusal) => refused$.next(refusal))
    const own = Object.create(components, { datastore: { value: datastore } }) as KadDHTComponents
    const service = Object.assign(kadDHT(init)(own), { refused$ })
    // its tables are looked up by what a peer sends, and `constructor` must not find a rule that nobody made
    Object.setPrototypeOf(service.validators, null)
    Object.setPrototypeOf(service.selectors, null)
    return service
  }
}

/**
 * A datastore in which a record is not replaced by a worse one. Libp2p validates what a peer asks it to store, and never
 * compares it with what it has: an old record that is put again would replace the new one everywhere.
 */
function keepingTheBest(
  datastore: KadDHTComponents['datastore'],
  records: RecordRules,
  refused: (refusal: Refusal) => void,
): KadDHTComponents['datastore'] {
  const isWorse = async (key: string, value: Uint8Array, kept: Uint8Array) => {
    const namespace = key.split('/')[1] ?? ''
    if (!Object.hasOwn(records, namespace) || records[namespace]?.select === undefined) return false
    return !equalBytes(kept, value) && (await firstValueFrom(selectRecord(records, key, [kept, value]))) === 0
  }
  const put: typeof datastore.put = async (name, bytes, options) => {
    if (name.toString().startsWith(RECORDS)) {
      const { key, value } = Record.deserialize(bytes)
      const kept = await keptAt(datastore, name)
      if (kept !== undefined && (await isWorse(text(key), value, kept))) {
        const message = `${text(key)}: a better record is kept already`
        const error = new InvalidRecordError(message, { key: text(key), field: 'value' })
        refused({ key: text(key), error })
        throw error
      }
    }
    return datastore.put(name, bytes, options)
  }
  return new Proxy(datastore, {
    get: (target, name) => {
      if (name === 'put') return put
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}

async function keptAt(datastore: KadDHTComponents['datastore'], name: Key): Promise<Uint8Array | undefined> {
  try {
    return Record.deserialize(await datastore.get(name)).value
  } catch {
    return undefined // none is kept, or what is kept can't be read: either way the new one is better
  }
}
