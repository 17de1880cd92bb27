import { z } from 'zod'
import { addressText, type AddressText } from './addressText.ts'
import { publicKeyText } from './publicKeyText.ts'

/** Who may answer at an address, as plain data. */
export interface Pin {
  /**
   * A multiaddr or its beginning (`/ip4/192.0.2.1/udp/4001/quic-v1`, `/dns4/example.org/tcp/4001`), a DNS name, an IP or a CIDR, these
   * with or without a port: `example.org:4001`, `192.0.2.0/24`, `[2001:db8::1]:4001`.
   */
  readonly address: string
  /** Peer ids, as text, that may answer. */
  readonly peers?: readonly string[]
  /** Public keys that may answer, in protobuf form as base64 or hex. */
  readonly keys?: readonly string[]
}

const MOST_PINS = 100_000

/** @unit characters */
const LONGEST_TEXT = 4_096

/** Components of an address that are looked at, behind the first. */
export const MOST_COMPONENTS = 32

const text = z
  .string('must be text')
  .min(1, 'must not be empty')
  .max(LONGEST_TEXT, `must be at most ${LONGEST_TEXT} characters`)

const address = text.superRefine((value, context) => {
  const read = addressText(value)
  const problem = read === undefined ? 'must be a multiaddr, a DNS name, an IP or a CIDR' : problemOf(value, read)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

/** What would make a pin that no address matches. */
function problemOf(value: string, { head, rest, port }: AddressText): string | undefined {
  if (rest.length > MOST_COMPONENTS) return `must have at most ${MOST_COMPONENTS + 1} components`
  if (rest.at(-1)?.startsWith('p2p/')) return 'must not end with a peer: name it in peers'
  if (head.kind === 'other' && head.text.startsWith('p2p/')) return 'must begin with an address, not with a peer'
  if (head.kind === 'name' && !/^[a-z0-9._-]+$/.test(head.text)) return 'must be a name in its ASCII form: xn--…'
  if (port !== undefined && Number(port) > 65_535) return 'must have a port up to 65535'
  return value.startsWith('/') || head.kind !== 'name' || !/^[\d.]+$/.test(head.text) ? undefined : 'is no IP address'
}

const key = text.refine(
  (value) => publicKeyText(value) !== undefined,
  'must be a public key in protobuf form, as base64 or hex',
)

const pin = z
  .strictObject({ address, peers: z.array(text).optional(), keys: z.array(key).optional() }, 'must be a pin')
  .refine(({ peers = [], keys = [] }) => peers.length + keys.length > 0, 'must name a peer or a key')

/** {@link Pin}s; too many are refused before they are looked at. */
export const pinsSpec = z
  .array(z.unknown(), 'must be a list of pins')
  .max(MOST_PINS, `must be at most ${MOST_PINS} pins`)
  .pipe(z.array(pin))
