import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import type { ChainOpen } from '../../behaviours/chains/chainWords.ts'
import { encodeOpen, type SignedChainOpen } from './chainWire.ts'

/** What the signature is about, so that it is about nothing else. */
const DOMAIN = new TextEncoder().encode('rxswarm-chain-open:')

/** What an opener wants, signed with its key. */
export async function signOpen(key: PrivateKey, open: ChainOpen): Promise<SignedChainOpen> {
  const bytes = encodeOpen(open)
  const signature = await key.sign(Buffer.concat([DOMAIN, bytes]))
  const isInline = peerIdFromString(open.opener).publicKey !== undefined
  return {
    open: bytes,
    publicKey: isInline ? new Uint8Array(0) : publicKeyToProtobuf(key.publicKey),
    signature,
  }
}

/** Whether what somebody wants is signed by whom it names as its opener. */
export async function isSignedByOpener({ opener }: ChainOpen, signed: SignedChainOpen): Promise<boolean> {
  try {
    const peer = peerIdFromString(opener)
    const key = signed.publicKey.byteLength === 0 ? peer.publicKey : publicKeyFromProtobuf(signed.publicKey)
    if (key === undefined || !peerIdFromPublicKey(key).equals(peer)) return false
    return await key.verify(Buffer.concat([DOMAIN, signed.open]), signed.signature)
  } catch {
    return false // what is no key has signed nothing
  }
}
