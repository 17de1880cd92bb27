import { createPor, type SwarmError } from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { beforeAll, describe, expect, it } from 'vitest'
import { isSigned, namesOf } from '../src/swarm/libp2p/ownerKeys.ts'

const period = { issuedAtS: 1_000, expiresAtS: 2_000 }
let peer = ''
beforeAll(async () => {
  peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
})

const makeKey = {
  Ed25519: () => generateKeyPair('Ed25519'),
  secp256k1: () => generateKeyPair('secp256k1'),
  ECDSA: () => generateKeyPair('ECDSA'),
  RSA: () => generateKeyPair('RSA', 2_048),
}

describe.each(Object.entries(makeKey))('a proof by an owner with a key of type %s', (_, make) => {
  it('names both, and bears its signature', async () => {
    const owner = await make()
    const por = await createPor({ owner, peer, ...period })
    expect(namesOf(por)).toEqual({ owner: owner.publicKey.toString(), peer })
    expect(await isSigned(por)).toBe(true)
  })
  it('does not hold when any part of it is changed', async () => {
    const por = await createPor({ owner: await make(), peer, ...period })
    const other = await createPor({ owner: await make(), peer, ...period })
    const flipped = Uint8Array.from(por.signature, (byte, i) => (i === por.signature.length - 1 ? byte ^ 1 : byte))
    const forged = [
      { ...por, expiresAtS: por.expiresAtS + 1 },
      { ...por, issuedAtS: por.issuedAtS - 1 },
      { ...por, ownerPublicKey: other.ownerPublicKey },
      { ...por, signature: flipped },
      { ...por, signature: new Uint8Array(0) },
    ]
    expect(await Promise.all(forged.map((one) => isSigned(one)))).toEqual(forged.map(() => false))
  })
})

describe('createPor', () => {
  it('takes a peer of any key type, as text or as libp2p has it', async () => {
    const owner = await generateKeyPair('Ed25519')
    for (const type of ['secp256k1', 'RSA'] as const) {
      const id = peerIdFromPrivateKey(await makeKey[type]())
      const [byText, byId] = await Promise.all(
        [id.toString(), id].map((one) => createPor({ owner, peer: one, ...period })),
      )
      expect(byText).toEqual(byId)
      expect([namesOf(byId!).peer, await isSigned(byId!)]).toEqual([id.toString(), true])
    }
  })
  it.each([
    ['issuedAtS', { issuedAtS: 1.5 }],
    ['issuedAtS', { issuedAtS: -1 }],
    ['expiresAtS', { expiresAtS: Number.NaN }],
    ['expiresAtS', { expiresAtS: 999 }],
    ['peer', { peer: 'nobody' }],
    ['peer', { peer: undefined }],
    ['owner', { owner: {} }],
  ])('says by path what is wrong with %s: %j', async (field, wrong) => {
    const claim = { owner: await generateKeyPair('Ed25519'), peer, ...period, ...wrong }
    const error = await createPor(claim as never).then(
      () => expect.fail('it made one'),
      (reason: SwarmError) => reason,
    )
    expect(error.name).toBe('ConfigError')
    expect(error).toMatchObject({ problems: [{ path: `createPor.${field}` }] })
  })
})
