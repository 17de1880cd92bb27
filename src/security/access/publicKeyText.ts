/** A public key in protobuf form begins with the tag of its type. */
const TAG = 0x08

/** An RSA key of 8 192 bits has less. @unit characters */
const LONGEST_KEY = 4_096

/**
 * A public key as lower-case hex of its protobuf form, whatever text it came as.
 *
 * @param text Hex, base64 or base64url of the protobuf form, padded or not.
 * @errors None: undefined for what is no such key.
 * @source libp2p's peer-ids specification: field 1 is the type of the key, field 2 its bytes.
 */
export function publicKeyText(text: string): string | undefined {
  if (text.length > LONGEST_KEY) return undefined
  if (/^08(?:[0-9a-f]{2})+$/i.test(text)) return text.toLowerCase()
  if (!/^[\w+/-]+={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.length > 2 && bytes[0] === TAG ? bytes.toString('hex') : undefined
}
