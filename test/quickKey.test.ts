import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { quickKey } from '../src/swarm/libp2p/quickKey.ts'

const message = new TextEncoder().encode('whatever a node signs')

describe('quickKey', () => {
  it('signs what libp2p signs, byte for byte, and is the same key in every other way', async () => {
    const key = await generateKeyPair('Ed25519')
    const quick = quickKey(key)
    expect(Buffer.from(await quick.sign(message))).toEqual(Buffer.from(await key.sign(message)))
    expect(await key.publicKey.verify(message, await quick.sign(message))).toBe(true)
    expect(quick.equals(key)).toBe(true)
    expect(peerIdFromPrivateKey(quick).equals(peerIdFromPrivateKey(key))).toBe(true)
  })
  it('takes messages in pieces, as libp2p does', async () => {
    const { Uint8ArrayList } = await import('uint8arraylist')
    const key = await generateKeyPair('Ed25519')
    const pieces = new Uint8ArrayList(message.subarray(0, 5), message.subarray(5))
    expect(await key.publicKey.verify(message, await quickKey(key).sign(pieces as never))).toBe(true)
  })
  it('leaves keys of other types alone', async () => {
    const key: PrivateKey = await generateKeyPair('secp256k1')
    expect(quickKey(key)).toBe(key)
  })
})
