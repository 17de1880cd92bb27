import { isIP } from 'node:net'
import { ipBits } from './ipBits.ts'
import { ipPrefix } from './ipMatch.ts'

/** An address, or what addresses begin with, in a form in which equal ones are equal text. */
export interface AddressText {
  /** Where it begins: bits of an IP or of a prefix, a name, or another component. */
  readonly head: Head
  /** The components behind: `['tcp', '4001']` is `tcp/4001`. */
  readonly rest: readonly string[]
  /** A port of any transport right behind the head; then there is no `rest`. */
  readonly port?: string
}

/** The first component of an address. */
export type Head =
  { readonly kind: 'ip'; readonly bits: string } | { readonly kind: 'name' | 'other'; readonly text: string }

/** @unit characters */
const LONGEST_ADDRESS = 4_096

/** Components without a value. */
const BARE = new Set(
  'quic quic-v1 tls noise ws wss http https webrtc webrtc-direct webtransport p2p-circuit utp udt plaintextv2'.split(
    ' ',
  ),
)

const NAMES = new Set(['dns', 'dns4', 'dns6', 'dnsaddr'])

/**
 * Reads a multiaddr, `name[:port]`, `ip[:port]`, `prefix[:port]`, `[ip6]:port` or `[prefix6]:port`.
 *
 * @shape  Names lower case, without a trailing dot, whether under `dns`, `dns4`, `dns6` or `dnsaddr`; IPs as `ipBits`, zones left
 *         out; ports without leading zeros. `/ip4/192.0.2.0/ipcidr/24` is a prefix.
 * @errors None: undefined for what can't be read.
 */
export function addressText(text: string): AddressText | undefined {
  if (text.length > LONGEST_ADDRESS) return undefined
  return text.startsWith('/') ? multiaddrText(text) : hostText(text)
}

function multiaddrText(text: string): AddressText | undefined {
  const components = componentsOf(text)
  const [first, second, ...rest] = components ?? []
  if (first === undefined) return undefined
  if (first.code === 'ip6zone') return second?.code === 'ip6' ? behind(headOf(second), rest) : undefined
  if (!isIpCode(first.code)) return behind(headOf(first), components!.slice(1))
  if (second?.code !== 'ipcidr') return behind(headOf(first), components!.slice(1))
  const { bits } = ipPrefix(`${first.value}/${second.value}`)
  return bits === undefined ? undefined : behind({ kind: 'ip', bits }, rest)
}

interface Component {
  readonly code: string
  readonly value: string | undefined
}

const isIpCode = (code: string) => code === 'ip4' || code === 'ip6'

function componentsOf(text: string): readonly Component[] | undefined {
  const parts = text.split('/').slice(1)
  if (parts.at(-1) === '') parts.pop() // a slash at the end means nothing
  const components: Component[] = []
  for (let i = 0; i < parts.length; i++) {
    const code = parts[i]!.toLowerCase()
    const value = BARE.has(code) ? undefined : parts[++i]
    if (code === '' || value === '' || (value === undefined && !BARE.has(code))) return undefined
    components.push({ code: code === 'ipfs' ? 'p2p' : code, value })
  }
  return components
}

function behind(head: Head | undefined, components: readonly Component[]): AddressText | undefined {
  return head && { head, rest: components.map(componentText) }
}

function headOf({ code, value }: Component): Head | undefined {
  if (NAMES.has(code)) return nameHead(value!)
  if (!isIpCode(code)) return { kind: 'other', text: componentText({ code, value }) }
  const bits = (code === 'ip4') === value!.includes(':') ? undefined : ipBits(value!)
  return bits === undefined ? undefined : { kind: 'ip', bits }
}

function componentText({ code, value }: Component): string {
  if (value === undefined) return code
  if (NAMES.has(code)) return `dns/${plainName(value)}`
  return `${code}/${/^\d{1,6}$/.test(value) ? Number(value) : value}`
}

const plainName = (name: string) => name.toLowerCase().replace(/\.$/, '')

function nameHead(name: string): Head | undefined {
  const text = plainName(name)
  const bits = ipBits(text) // an IP resolves to itself
  if (bits !== undefined) return { kind: 'ip', bits }
  return text === '' ? undefined : { kind: 'name', text }
}

const BRACKETED = /^\[(?<host>[^\]]+)\](?::(?<port>\d{1,5}))?$/
const PORTED = /^(?<host>[^:]+)(?::(?<port>\d{1,5}))?$/

function hostText(text: string): AddressText | undefined {
  if (isIP(text) === 6) return { head: { kind: 'ip', bits: ipBits(text)! }, rest: [] }
  const { bits: prefix } = ipPrefix(text)
  if (prefix !== undefined) return { head: { kind: 'ip', bits: prefix }, rest: [] }
  const bracketed = BRACKETED.exec(text)?.groups
  const { host = '', port } = bracketed ?? PORTED.exec(text)?.groups ?? {}
  const bits = ipPrefix(host).bits ?? ipBits(host)
  if (bits === undefined && (bracketed !== undefined || !/^[a-z0-9._-]+$/i.test(host))) return undefined
  const head = bits === undefined ? nameHead(host) : { kind: 'ip' as const, bits }
  return head && { head, rest: [], ...(port !== undefined && { port: String(Number(port)) }) }
}
