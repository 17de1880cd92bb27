/** What comes before the key in the peer id of an Ed25519 key: identity multihash, then protobuf. @source libp2p peer-ids spec */
const PEER_ID_HEAD = Buffer.from('002408011220', 'hex')
const KEY_BYTES = 32
const PEER_ID_BYTES = PEER_ID_HEAD.length + KEY_BYTES
const PEER_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
const RAW = /^ed25519:([A-Za-z0-9+/]{43}=)$/
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** The peer id of a raw Ed25519 public key, as text: `12D3KooW…`. */
export function ed25519Text(publicKeyRaw32: Uint8Array): string {
  let number = BigInt(`0x${Buffer.concat([PEER_ID_HEAD, publicKeyRaw32]).toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)]! + text
  return `1${text}`
}

/** The raw key that a text names: a peer id `12D3KooW…`, or `ed25519:` and 32 bytes of base64. Undefined for any other text. */
export function ed25519Bytes(text: string): Uint8Array | undefined {
  const raw = RAW.exec(text)?.[1]
  if (raw !== undefined) return Buffer.from(raw, 'base64')
  if (!PEER_ID.test(text)) return undefined
  let number = 0n
  for (let i = 0; i < text.length; i++) number = number * 58n + BigInt(ALPHABET.indexOf(text[i]!))
  const bytes = Buffer.from(number.toString(16).padStart(2 * PEER_ID_BYTES, '0'), 'hex')
  const isKey = bytes.length === PEER_ID_BYTES && bytes.subarray(0, PEER_ID_HEAD.length).equals(PEER_ID_HEAD)
  return isKey ? bytes.subarray(PEER_ID_HEAD.length) : undefined
}
