import { defer, EMPTY, map, mergeMap, Observable, of, type Subscriber } from 'rxjs'
import { z } from 'zod'
import { RendezvousError } from '../../../errors/errors.ts'
import { cookieSeal } from '../../../swarm/behaviours/rendezvous/cookies.ts'
import type {
  FoundRegistration,
  PointAnswer,
  PointRef,
  PointRequest,
  RendezvousPorts,
} from '../../../swarm/behaviours/rendezvous/rendezvousVocabulary.ts'
import { answer, request } from '../request.ts'
import type { SimulatedNode } from '../simulatedNode.ts'
import { decodeMessage, encodeMessage } from './modelMessage.ts'

/** @source libp2p rendezvous, specification r3; records are taken to be signed */
const PROTOCOL = '/rendezvous/1.0.0'

const KEY_BYTES = 32
const USUAL_TTL_S = 7_200

const text = z.string().max(512)
const record = z.object({ peer: text, seq: z.int().min(0), addresses: z.array(text).max(64) })
const asked = z.discriminatedUnion('type', [
  z.object({ type: z.literal('register'), namespace: text, ttlS: z.int().optional(), record }),
  z.object({ type: z.literal('unregister'), namespace: text }),
  z.object({
    type: z.literal('discover'),
    namespace: text.optional(),
    limit: z.int().min(0),
    cookie: z.string().max(128).optional(),
  }),
])
const answered = z.object({
  status: text,
  text: text.optional(),
  ttlS: z.number().optional(),
  cookie: z.string().max(128).optional(),
  registrations: z.array(z.object({ namespace: text, ttlS: z.number(), record })).optional(),
})
type Asked = z.output<typeof asked>
type Answered = z.output<typeof answered>

const bytesOf = (of: z.output<typeof record>) => new TextEncoder().encode(JSON.stringify(of))
const recordIn = (bytes: Uint8Array) => record.parse(JSON.parse(new TextDecoder().decode(bytes)))

/**
 * Rendezvous of a simulated node: the client, and the point.
 *
 * @shape  What a point keeps is gone with a crash. A record has the time as its number.
 */
export function simulatedRendezvous(node: SimulatedNode): RendezvousPorts {
  const held = new Map<string, number>()
  const waiting = new Map<string, Subscriber<Uint8Array>>()
  const ask = ({ point, addresses }: PointRef, question: Asked): Observable<Answered> =>
    defer(() => (addresses.length === 0 ? node.dial(point) : node.dial(addresses))).pipe(
      mergeMap((connection) => request(node, point, PROTOCOL, encodeMessage(question), { connection })),
      map((bytes) => decodeMessage(answered, bytes).head),
      map((given) => {
        if (given.status === 'OK') return given
        throw new RendezvousError(`${question.type}: ${point} answers ${given.status}`, given.status, { peer: point })
      }),
    )
  const unregister = (ref: PointRef, namespace: string) => ask(ref, { type: 'unregister', namespace })
  const fresh = () => ({
    registrations: [],
    seq: 0,
    cookies: cookieSeal(Uint8Array.from({ length: KEY_BYTES }, () => node.random() * 256)),
  })
  return {
    register: (ref, namespace, ttlS) =>
      defer(() => {
        const { name: peer, addresses } = node
        if (addresses.length === 0) throw new RendezvousError('register: no address', 'NO_ADDRESS', { peer: ref.point })
        const own = { peer, seq: Math.floor(node.scheduler.now()), addresses: [...addresses] }
        return ask(ref, { type: 'register', namespace, ...(ttlS === undefined ? {} : { ttlS }), record: own })
      }).pipe(map(({ ttlS: granted = USUAL_TTL_S }) => granted)),
    hold: (ref, namespace) =>
      new Observable<never>(() => {
        const name = `${ref.point} ${namespace}`
        held.set(name, (held.get(name) ?? 0) + 1)
        return () => {
          const left = held.get(name)! - 1
          held.set(name, left)
          if (left === 0) unregister(ref, namespace).subscribe({ error: () => undefined }) // it expires
        }
      }),
    unregister,
    discover: (ref, { namespace, limit, cookie }) =>
      ask(ref, {
        type: 'discover',
        limit,
        ...(namespace === undefined ? {} : { namespace }),
        ...(cookie === undefined ? {} : { cookie: Buffer.from(cookie).toString('base64') }),
      }).pipe(
        map(({ registrations = [], cookie: next = '' }) => {
          const found = registrations.map(
            ({ namespace: of, ttlS, record: { peer, seq, addresses } }): FoundRegistration => {
              node.learn(peer, addresses)
              return { peer, namespace: of, addresses, seq: BigInt(seq), ttlMs: ttlS * 1_000 }
            },
          )
          return { found, ignored: [], count: found.length, cookie: new Uint8Array(Buffer.from(next, 'base64')) }
        }),
      ),
    request$: new Observable((out) => {
      let requests = 0
      return answer(node, PROTOCOL, (bytes, { peer }) => {
        const { head } = decodeMessage(asked, bytes)
        const [address = ''] = node.connections.filter((one) => one.peer === peer).map(({ info }) => info.address)
        const about = { id: String(++requests), peer, address }
        if (head.type === 'unregister') {
          out.next({ ...head, ...about })
          return of(encodeMessage({ status: 'OK' }))
        }
        return new Observable<Uint8Array>((given) => {
          waiting.set(about.id, given)
          given.add(() => void waiting.delete(about.id))
          out.next(requestOf(head, about))
        })
      })
    }),
    answer: (id, given) =>
      defer(() => {
        waiting.get(id)?.next(encodeMessage(answerOf(given)))
        return EMPTY
      }),
    load: () => defer(() => of(fresh())),
    fresh,
    save: () => EMPTY,
  }
}

function requestOf(
  head: Exclude<Asked, { type: 'unregister' }>,
  about: { readonly id: string; readonly peer: string; readonly address: string },
): PointRequest {
  if (head.type === 'register') {
    const { namespace, ttlS, record: shown } = head
    const bytes = bytesOf(shown)
    const signed = { form: 'standard', bytes, peer: shown.peer, seq: BigInt(shown.seq), addresses: shown.addresses.length } as const // prettier-ignore
    return { ...about, type: 'register', namespace, record: signed, ...(ttlS === undefined ? {} : { ttlS: BigInt(ttlS) }) } // prettier-ignore
  }
  const { namespace, limit, cookie } = head
  return {
    ...about,
    type: 'discover',
    limit: BigInt(limit),
    ...(namespace === undefined ? {} : { namespace }),
    ...(cookie === undefined ? {} : { cookie: new Uint8Array(Buffer.from(cookie, 'base64')) }),
  }
}

function answerOf(given: PointAnswer): Answered {
  const { status, text: said } = given
  const about = { status, ...(said === undefined ? {} : { text: said }) }
  if (given.type === 'register') return { ...about, ...(given.ttlS === undefined ? {} : { ttlS: given.ttlS }) }
  const registrations = given.registrations.map(({ namespace, ttlS, record: bytes }) => {
    return { namespace, ttlS, record: recordIn(bytes) }
  })
  const cookie = given.cookie === undefined ? {} : { cookie: Buffer.from(given.cookie).toString('base64') }
  return { ...about, registrations, ...cookie }
}
