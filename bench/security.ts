import { createPor } from 'rxswarm'
import { compilePolicy, type AccessPolicy, type AccessRequest } from 'rxswarm/security'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { hangGate, type GateComponents } from '../src/swarm/libp2p/gate.ts'
import { isSigned, namesOf } from '../src/swarm/libp2p/ownerKeys.ts'
import { decodeRequest, encodeRequest } from '../src/swarm/behaviours/xauth/porMessages.ts'
import { signedBytes } from '../src/swarm/behaviours/xauth/por.ts'
import { compare, type Bench } from './compare.ts'
import { interleave } from './interleave.ts'

const ROUNDS = 9
const RULES = 10_000

/** How often a second something is done. */
const rate = (times: number, work: (index: number) => unknown) => async (): Promise<number> => {
  const start = performance.now()
  for (let index = 0; index < times; index++) await work(index)
  return times / ((performance.now() - start) / 1_000)
}

/** How long one of many takes. @unit microseconds */
const each = (times: number, work: (index: number) => unknown) => (): number => {
  const start = performance.now()
  for (let index = 0; index < times; index++) work(index)
  return ((performance.now() - start) * 1_000) / times
}

const validation: Bench = {
  names: ['por-validation'],
  run: async () => {
    const [owner, node] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    const peer = peerIdFromPrivateKey(node)
    const por = await createPor({ owner, peer, issuedAtS: 1_700_000_000, expiresAtS: 1_700_003_600 })
    const request = encodeRequest({ por, metadata: {} })
    const bytes = signedBytes(por, peer.toString())
    const contestants = {
      ours: rate(500, () => {
        const { por: read } = decodeRequest(request)
        namesOf(read)
        return isSigned(read)
      }),
      peer: rate(500, () => owner.publicKey.verify(bytes, por.signature)),
    }
    const rates = await interleave(contestants, { rounds: ROUNDS, warmUps: 2 })
    const about = {
      name: 'por-validation',
      unit: 'proofs/s',
      better: 'more',
      peerName: "libp2p's verify alone",
    } as const
    return [compare(rates.ours, rates.peer, { ...about, oursAtLeast: 5_000 })]
  },
}

/** Ten thousand rules of all kinds, and as many requests. */
function mixed(): { readonly policy: AccessPolicy; readonly requests: readonly AccessRequest[] } {
  const ip = (index: number) => `10.${(index >> 8) & 255}.${index & 255}.0`
  const rules = Array.from({ length: RULES }, (_, index) => {
    const effect = index % 2 === 0 ? ('deny' as const) : ('allow' as const)
    if (index % 4 === 0) return { effect, peer: `peer${index}` }
    if (index % 4 === 1) return { effect, address: `${ip(index)}/24` }
    return index % 4 === 2 ? { effect, protocol: `/app${index}/*` } : { effect, topic: `topic${index}` }
  })
  const requests = Array.from({ length: 1_000 }, (_, index): AccessRequest => {
    const about = {
      peer: `peer${index * 8}`,
      address: ip(index * 9),
      protocol: `/app${index * 10}/1`,
      topic: `topic${index}`,
    }
    return { action: 'open', direction: 'inbound', ...about }
  })
  return { policy: { rules, default: 'allow' }, requests }
}

const rules: Bench = {
  names: ['access-10000-rules'],
  run: async () => {
    const { policy, requests } = mixed()
    const { decide } = compilePolicy(policy)
    const one = compilePolicy({ rules: policy.rules.slice(0, 1), default: 'allow' })
    const contestants = {
      ours: each(20_000, (index) => decide(requests[index % requests.length]!)),
      peer: each(20_000, (index) => one.decide(requests[index % requests.length]!)),
    }
    const times = await interleave(contestants, { rounds: ROUNDS, warmUps: 3 })
    const about = { name: 'access-10000-rules', unit: 'µs', better: 'less', peerName: 'one rule' } as const
    return [compare(times.ours, times.peer, { ...about, oursAtMost: 5 })]
  },
}

const gate: Bench = {
  names: ['gate-check'],
  run: async () => {
    const events = new EventTarget()
    const registrar = {
      getMiddleware: () => [],
      _onPeerIdentify: async () => undefined,
      _onPeerUpdate: async () => undefined,
    }
    const connectionManager = { getConnections: () => [] }
    const hung = hangGate({ events, registrar, connectionManager } as unknown as GateComponents)
    const standings = new WeakMap<object, string>()
    const connection = { id: 'c', remotePeer: 'p', streams: [] }
    standings.set(connection, 'authenticated')
    const open = new Set(['/ipfs/ping/1.0.0'])
    const verdict = ({ connection: on, protocol }: { connection: object; protocol: string }) =>
      open.has(protocol) || standings.get(on) === 'authenticated' ? 'pass' : 'wait'
    hung.guard({ rank: 0, verdict })
    const stream = { protocol: '/kad/1.0.0', direction: 'outbound' }
    const [pass] = (registrar.getMiddleware as unknown as (protocol: string) => ((...args: unknown[]) => unknown)[])(
      '/x',
    )
    const next = () => undefined
    const contestants = {
      ours: each(50_000, () => pass!(stream, connection, next)),
      peer: each(50_000, () => next()),
    }
    const times = await interleave(contestants, { rounds: ROUNDS, warmUps: 3 })
    const about = { name: 'gate-check', unit: 'µs', better: 'less', peerName: 'no gate' } as const
    return [compare(times.ours, times.peer, { ...about, oursAtMost: 2 })]
  },
}

/** What security costs: a proof, a decision over ten thousand rules, a look at the gate. */
export const security: readonly Bench[] = [validation, rules, gate]
