import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UNBOUNDED, type ChainOpen, type ChainStatus } from '../../../../src/swarm/behaviours/chains/chainWords.ts'
import {
  decodeChainAnswer,
  decodeChainRequest,
  decodeOpen,
  encodeChainAnswer,
  encodeChainRequest,
  encodeOpen,
  MOST_MESSAGE_BYTES,
  type ChainAnswer,
} from '../../../../src/swarm/libp2p/chains/chainWire.ts'
import {
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeWelcome,
} from '../../../../src/swarm/libp2p/chains/helloWire.ts'
import { isSignedByOpener, signOpen } from '../../../../src/swarm/libp2p/chains/openSignature.ts'

/** More by hand: `FUZZ_RUNS=1000000 vitest run --project marbles marbles/swarm/libp2p/chains`. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300)
const keys = await Promise.all(Array.from({ length: 10 }, () => generateKeyPair('Ed25519')))
const peers = keys.map((key) => peerIdFromPrivateKey(key).toString())
const open: ChainOpen = {
  chain: '00112233445566778899aabbccddeeff',
  opener: peers[0]!,
  path: peers.slice(1, 5),
  issuedAtMs: 1_750_000_000_000,
  deadlineMs: 5_000,
  wanted: { bytes: 1_000, ms: Infinity },
  least: { bytes: 10, ms: 20 },
}
const sound = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    expect((error as Error).name).toBe('InvalidMessageError')
  }
}

describe('chainWire', () => {
  it('reads what it has written', () => {
    expect(decodeOpen(encodeOpen(open))).toEqual(open)
    const answers: readonly ChainAnswer[] = [
      { type: 'opened', granted: UNBOUNDED },
      { type: 'opened', granted: { bytes: 7, ms: 9 } },
      { type: 'refused', status: 'MALFORMED', hop: 3, text: 'no' },
      { type: 'neighbours', carriers: peers.slice(0, 3), hasTarget: true },
    ]
    for (const answer of answers) expect(decodeChainAnswer(encodeChainAnswer(answer))).toEqual(answer)
    const signed = { open: Uint8Array.of(1), publicKey: Uint8Array.of(), signature: Uint8Array.of(2) }
    expect(decodeChainRequest(encodeChainRequest({ type: 'open', signed }))).toEqual({ type: 'open', signed })
    expect(decodeChainRequest(encodeChainRequest({ type: 'ask' }))).toEqual({ type: 'ask' })
    const ask = { type: 'ask', target: peers[0]! } as const
    expect(decodeChainRequest(encodeChainRequest(ask))).toEqual(ask)
    const hello = { session: open.chain, resume: true, received: 2 ** 40, total: { bytes: 1, ms: 2 } }
    expect(decodeHello(encodeHello(hello))).toEqual(hello)
    expect(decodeWelcome(encodeWelcome(2 ** 50))).toBe(2 ** 50)
  })
  it('has a number for each status', () => {
    const statuses: readonly ChainStatus[] = [
      'NOT_CARRYING',
      'CYCLE',
      'TOO_MANY_HOPS',
      'BUDGET',
      'OVERLOADED',
      'UNREACHABLE',
      'TIMEOUT',
      'DENIED',
      'MALFORMED',
    ]
    for (const [i, status] of statuses.entries()) {
      const bytes = encodeChainAnswer({ type: 'refused', status, hop: 0, text: '' })
      expect([...bytes]).toEqual([0x12, 2, 0x08, i + 1])
      expect(decodeChainAnswer(bytes)).toMatchObject({ status })
    }
  })
  it('fits into its bound with the longest path and the largest key', async () => {
    const key = await generateKeyPair('RSA', 4_096)
    const opener = peerIdFromPrivateKey(key).toString()
    const signed = await signOpen(key, { ...open, opener, path: peers.slice(0, 9) })
    expect(encodeChainRequest({ type: 'open', signed }).byteLength).toBeLessThan(MOST_MESSAGE_BYTES)
    expect(await isSignedByOpener({ ...open, opener }, signed)).toBe(true)
    expect(await isSignedByOpener({ ...open, opener: peers[1]! }, signed)).toBe(false)
    const carriers = Array.from({ length: 64 }, () => peers[0]!)
    expect(encodeChainAnswer({ type: 'neighbours', carriers, hasTarget: true }).byteLength).toBeLessThan(
      MOST_MESSAGE_BYTES,
    )
  })
  it('believes only the signature of the opener over these very bytes', async () => {
    const signed = await signOpen(keys[0]!, open)
    expect(await isSignedByOpener(open, signed)).toBe(true)
    expect(await isSignedByOpener({ ...open, opener: peers[1]! }, signed)).toBe(false)
    expect(await isSignedByOpener(open, { ...signed, publicKey: Uint8Array.of(1, 2) })).toBe(false)
    expect(await isSignedByOpener(open, { ...signed, signature: new Uint8Array(64) })).toBe(false)
    const other = encodeOpen({ ...open, path: peers.slice(2, 5) })
    expect(await isSignedByOpener(open, { ...signed, open: other })).toBe(false)
  })
  it('names what is wrong', () => {
    const field = (work: () => unknown) => {
      try {
        return void work()
      } catch (error) {
        return (error as { field?: string }).field
      }
    }
    expect(field(() => decodeOpen(encodeOpen({ ...open, chain: '00' })))).toBe('chain')
    expect(field(() => decodeOpen(Uint8Array.of(8, 2)))).toBe('version')
    expect(field(() => decodeChainRequest(Uint8Array.of()))).toBe('body')
    expect(field(() => decodeChainAnswer(Uint8Array.of()))).toBe('body')
    expect(field(() => decodeChainAnswer(Uint8Array.of(0x12, 2, 0x08, 99)))).toBe('status')
    expect(field(() => decodeOpen(encodeOpen({ ...open, path: Array.from({ length: 65 }, () => peers[0]!) })))).toBe(
      'path',
    )
  })
  it('makes a foreign text harmless', () => {
    const bytes = encodeChainAnswer({ type: 'refused', status: 'DENIED', hop: 0, text: `\u001b[31m${'x'.repeat(500)}` })
    const { text } = decodeChainAnswer(bytes) as { text: string }
    expect(text.startsWith('\\u{1b}[31m')).toBe(true)
    expect(text.length).toBeLessThan(220)
  })
  it('takes any bytes without harm', () => {
    const decoders = [decodeOpen, decodeChainRequest, decodeChainAnswer, decodeHello, decodeWelcome]
    const valid = [
      encodeOpen(open),
      encodeChainAnswer({ type: 'neighbours', carriers: peers, hasTarget: true }),
      encodeHello({ session: open.chain, resume: false, received: 1, total: UNBOUNDED }),
    ]
    const bent = fc
      .record({ of: fc.constantFrom(...valid), at: fc.nat(200), to: fc.nat(255), cut: fc.nat(400) })
      .map(({ of, at, to, cut }) => of.map((byte, i) => (i === at % of.byteLength ? to : byte)).subarray(0, cut))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), bent), fc.constantFrom(...decoders), (bytes, decode) =>
        sound(() => decode(bytes)),
      ),
      { numRuns },
    )
  })
})
