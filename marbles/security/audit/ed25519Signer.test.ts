import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { ed25519Signer } from '../../../src/security/audit/ed25519Signer.ts'
import { ed25519Bytes } from '../../../src/security/audit/ed25519Text.ts'
import { ed25519Verify } from '../../../src/security/audit/ed25519Verify.ts'

const message = new TextEncoder().encode('the head of a chain')

describe('ed25519Signer', () => {
  it('signs as the node with the same key, and is known by its peer id', async () => {
    for (let i = 0; i < 10; i++) {
      const key = await generateKeyPair('Ed25519')
      const { publicKey, sign } = ed25519Signer(key.raw)
      const signature = await sign(message)
      expect(publicKey).toBe(peerIdFromPrivateKey(key).toString())
      expect(Buffer.from(ed25519Bytes(publicKey)!)).toEqual(Buffer.from(key.publicKey.raw))
      expect(await key.publicKey.verify(message, signature)).toBe(true)
      expect(ed25519Verify(publicKey, message, signature)).toBe(true)
      expect(ed25519Verify(`ed25519:${Buffer.from(key.publicKey.raw).toString('base64')}`, message, signature)).toBe(
        true,
      )
    }
  })
  it('refuses other messages, keys and signatures, and text that is no key', async () => {
    const { publicKey, sign } = ed25519Signer(new Uint8Array(32).fill(1))
    const signature = await sign(message)
    expect(ed25519Verify(publicKey, message.subarray(1), signature)).toBe(false)
    expect(ed25519Verify(ed25519Signer(new Uint8Array(32)).publicKey, message, signature)).toBe(false)
    expect(ed25519Verify(publicKey, message, signature.subarray(1))).toBe(false)
    expect(ed25519Verify(publicKey, message, new Uint8Array(64))).toBe(false)
    for (const text of [
      '',
      'ed25519:',
      'ed25519:AAAA',
      `12D3KooW${'z'.repeat(44)}`,
      `${publicKey}1`,
      'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    ]) {
      expect(ed25519Verify(text, message, signature), text).toBe(false)
    }
  })
  it('refuses keys of another length', () => {
    expect(() => ed25519Signer(new Uint8Array(31))).toThrow('must be a raw Ed25519 private key of 32 or 64 bytes')
  })
})
