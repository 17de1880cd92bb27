import { Registrations } from './registrations.ts'
import type {
  CookieSeal,
  GivenRegistration,
  PointAnswer,
  PointRequest,
  RendezvousEvent,
  RendezvousStatus,
  StoreChange,
  StoredPoint,
} from './rendezvousVocabulary.ts'

/** What a point grants. */
export interface PointLimits {
  /** Registrations in all. */
  readonly registrations: number
  /** Registrations of one peer. */
  readonly registrationsPerPeer: number
  /** Registrations in one answer. */
  readonly answerMost: number
  /** Shortest and longest ttl. @unit milliseconds */
  readonly minTtlMs: number
  readonly maxTtlMs: number
}

/** What comes of a request. */
export interface PointDecision {
  /** Nothing for what is not answered. */
  readonly answer?: PointAnswer
  readonly say?: readonly RendezvousEvent[]
  /** What is to be kept, before it is answered. */
  readonly store?: readonly StoreChange[]
}

/** Longest name of a namespace. @unit bytes @source libp2p rendezvous r3 */
export const MOST_NAMESPACE_BYTES = 255

/** What a point answers that keeps a record in both forms. */
export const BOTH_FORMS = 'kept; send the record in its other form too'

/** Of a registration that names none. @unit seconds @source libp2p rendezvous r3 */
export const USUAL_TTL_S = 7_200

/** What an answer may hold, so that it stays below the 1 MiB that rust-libp2p reads. @unit bytes */
const MOST_ANSWER_BYTES = 900 * 1_024

/** What a registration takes besides its record and its namespace. @unit bytes */
const FRAME_BYTES = 32

const bytesOf = (text: string) => new TextEncoder().encode(text).byteLength

/** A rendezvous point: decides what a request comes to. */
export class RendezvousPoint {
  readonly #registrations: Registrations
  readonly #limits: PointLimits
  readonly #cookies: CookieSeal

  constructor(limits: PointLimits, { registrations, seq, cookies }: StoredPoint) {
    this.#limits = limits
    this.#cookies = cookies
    this.#registrations = new Registrations(registrations, seq)
  }

  /** Decides. @param now @unit milliseconds since the Unix epoch */
  decide(request: PointRequest, now: number): PointDecision {
    switch (request.type) {
      case 'register':
        return this.#register(request, now)
      case 'unregister':
        return this.#unregister(request)
      case 'discover':
        return this.#discover(request, now)
      case 'unreadable': {
        const { peer, address, reason } = request
        return { say: [{ type: 'rendezvous:refused', peer, address, request: 'unreadable', reason }] }
      }
    }
  }

  /** What has expired. */
  sweep(now: number): PointDecision {
    const over = this.#registrations.expire(now)
    return {
      say: over.map(({ peer, namespace }) => ({ type: 'rendezvous:removed', peer, namespace, reason: 'expired' })),
      store: over.map(({ peer, namespace }) => ({ drop: { peer, namespace } })),
    }
  }

  #register(request: Extract<PointRequest, { type: 'register' }>, now: number): PointDecision {
    const { peer, address, namespace, record } = request
    const refuse = (status: RendezvousStatus, text: string): PointDecision => ({
      answer: { type: 'register', status, text },
      say: [{ type: 'rendezvous:refused', peer, address, request: 'register', namespace: cut(namespace), status, reason: text }], // prettier-ignore
    })
    const flaw = flawOfNamespace(namespace)
    if (flaw !== undefined) return refuse('E_INVALID_NAMESPACE', flaw)
    if ('flaw' in record) return refuse('E_INVALID_SIGNED_PEER_RECORD', record.flaw)
    if (record.peer !== peer) return refuse('E_NOT_AUTHORIZED', 'a peer registers only itself')
    const known = this.#registrations.recordSeqOf(peer)
    if (known !== undefined && record.seq < known) {
      return refuse('E_INVALID_SIGNED_PEER_RECORD', 'a later record of this peer is known')
    }
    const { minTtlMs, maxTtlMs, registrations, registrationsPerPeer } = this.#limits
    const ttlS = request.ttlS ?? BigInt(Math.max(Math.ceil(minTtlMs / 1_000), Math.min(USUAL_TTL_S, maxTtlMs / 1_000)))
    const ttlMs = Number(ttlS) * 1_000
    if (!(ttlMs >= minTtlMs && ttlMs <= maxTtlMs)) {
      return refuse('E_INVALID_TTL', `must be ${minTtlMs / 1_000} to ${maxTtlMs / 1_000} seconds, not ${ttlS}`)
    }
    const before = this.#registrations.of(peer, namespace)
    const isFull = () =>
      this.#registrations.size >= registrations || this.#registrations.countOf(peer) >= registrationsPerPeer
    const { say = [], store = [] } = before === undefined && isFull() ? this.sweep(now) : {}
    if (before === undefined && isFull()) {
      const text = `this point takes ${registrationsPerPeer} registrations of one peer, and ${registrations} in all`
      const { answer, say: no = [] } = refuse('E_UNAVAILABLE', text)
      return { answer: answer!, say: [...say, ...no], store }
    }
    const others = before?.recordSeq === record.seq ? before.records : {}
    const isOtherForm = before?.recordSeq === record.seq && others[record.form] === undefined
    const put = this.#registrations.add({
      peer,
      namespace,
      // the same record in the other form is kept beside it
      records: { ...others, [record.form]: record.bytes },
      recordSeq: record.seq,
      expiresAt: now + ttlMs,
    })
    return {
      answer: { type: 'register', status: 'OK', text: BOTH_FORMS, ttlS: Number(ttlS) },
      say: isOtherForm ? say : [...say, { type: 'rendezvous:accepted', peer, address, namespace, ttlMs }],
      store: [...store, { put }],
    }
  }

  #unregister({ peer, namespace }: Extract<PointRequest, { type: 'unregister' }>): PointDecision {
    if (!this.#registrations.remove(peer, namespace)) return {}
    return {
      say: [{ type: 'rendezvous:removed', peer, namespace, reason: 'unregistered' }],
      store: [{ drop: { peer, namespace } }],
    }
  }

  #discover(request: Extract<PointRequest, { type: 'discover' }>, now: number): PointDecision {
    const { peer, address, namespace, cookie, limit } = request
    const refuse = (status: RendezvousStatus, text: string): PointDecision => ({
      answer: { type: 'discover', status, text, registrations: [] },
      say: [
        {
          type: 'rendezvous:refused',
          ...{ peer, address, request: 'discover', status, reason: text },
          ...(namespace === undefined ? {} : { namespace: cut(namespace) }),
        },
      ],
    })
    const flaw = namespace === undefined ? undefined : flawOfNamespace(namespace)
    if (flaw !== undefined) return refuse('E_INVALID_NAMESPACE', flaw)
    const since = cookie === undefined || cookie.length === 0 ? 0 : this.#cookies.open(namespace, cookie)
    if (since === 'invalid') return refuse('E_INVALID_COOKIE', 'it is not one of this namespace')
    // a point that has lost what it kept answers as if nobody had asked before; numbers only rise, so 0 is before all
    const from = since === 'foreign' || since > this.#registrations.seq ? 0 : since
    const most = Math.min(this.#limits.answerMost, limit === undefined || limit === 0n ? Infinity : Number(limit))
    const registrations: GivenRegistration[] = []
    let [seq, bytes] = [from, 0]
    const reads = this.#registrations.formOf(peer) ?? request.reads ?? 'standard'
    for (const one of this.#registrations.after(from, namespace)) {
      if (registrations.length >= most) break
      // what is not in the standard form is for those who try both
      const record = reads === 'rust' ? one.records.rust : (one.records.standard ?? one.records.rust)
      bytes += (record?.byteLength ?? 0) + bytesOf(one.namespace) + FRAME_BYTES
      if (bytes > MOST_ANSWER_BYTES && registrations.length > 0) break
      seq = one.seq
      if (one.expiresAt <= now || record === undefined) continue
      const ttlS = Math.ceil((one.expiresAt - now) / 1_000)
      registrations.push({ namespace: one.namespace, record, ttlS })
    }
    return { answer: { type: 'discover', status: 'OK', registrations, cookie: this.#cookies.seal(namespace, seq) } }
  }
}

/** What is wrong with the name of a namespace. */
export function flawOfNamespace(namespace: string): string | undefined {
  if (namespace === '') return 'must not be empty'
  const bytes = bytesOf(namespace)
  return bytes <= MOST_NAMESPACE_BYTES ? undefined : `must have ${MOST_NAMESPACE_BYTES} bytes at most, not ${bytes}`
}

/** What is told of a name that a remote has chosen. */
function cut(namespace: string): string {
  return namespace.length <= MOST_NAMESPACE_BYTES ? namespace : `${namespace.slice(0, MOST_NAMESPACE_BYTES)}…`
}
