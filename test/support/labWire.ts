import type { AnyCommand } from 'rxswarm'

/** What a swarm of the lab is started with, as plain data. */
export interface LabNodeOptions {
  /** Behaviours of rxswarm by name, with their options. Default: connections, identify, ping and xstream. */
  readonly use?: Readonly<Record<string, object>>
  /** The same seed gives the same peer id. Default: a fresh one. @unit 0 to 255 */
  readonly seed?: number
  /** Default: QUIC and TCP. */
  readonly transports?: readonly ('quic' | 'tcp')[]
  /** Default: port 4001 of every address, on each transport. */
  readonly listen?: readonly string[]
  /** Addresses that it announces besides those it listens on. */
  readonly announce?: readonly string[]
}

/** The usual port of an address, on each transport. */
export function usualListen(ip: string, transports: LabNodeOptions['transports'] = ['quic', 'tcp']): readonly string[] {
  const at = { quic: `/ip4/${ip}/udp/4001/quic-v1`, tcp: `/ip4/${ip}/tcp/4001` }
  return transports.map((name) => at[name])
}

/** What a swarm of the lab carried. */
export interface LabCarried {
  /** Whether as many bytes came, and the same. */
  readonly intact: boolean
  /** @unit milliseconds */
  readonly tookMs: number
}

/** What the tests tell a swarm of the lab: a line of JSON each. */
export type LabRequest =
  | { readonly start: LabNodeOptions }
  | { readonly id: string; readonly command: AnyCommand }
  | { readonly cancel: string }
  | { readonly id: string; readonly ask: 'addresses' | 'state' | 'stop' }
  | {
      readonly id: string
      /** Sends so many bytes by xstream, to be hashed there; `limited` as in `xstream.open`. */
      readonly carry: { readonly peer: string; readonly byteLength: number; readonly limited?: boolean }
    }

/** What it says: a line of JSON each. */
export type LabReply =
  | { readonly ready: { readonly self: string; readonly addresses: readonly string[] } }
  | { readonly event: { readonly type: string } }
  | { readonly id: string; readonly answer: unknown }
  | { readonly id: string; readonly done: true }
  | { readonly id: string; readonly error: { readonly name: string; readonly message: string } }

/** Bytes as JSON has none. */
const BYTES = '$base64'

/** As a line of JSON: bytes by {@link BYTES}, maps as objects, sets as lists; what can't be told is left out. */
export function toLine(value: LabRequest | LabReply): string {
  return `${JSON.stringify(value, plain)}\n`
}

function plain(this: unknown, key: string, told: unknown): unknown {
  const value = (this as Record<string, unknown>)[key] // before its toJSON
  if (value instanceof Uint8Array) return { [BYTES]: Buffer.from(value).toString('base64') }
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, of]) => [String(name), of]))
  if (value instanceof Set) return [...value]
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Error && told === value) return { name: value.name, message: value.message }
  return told
}

/** What a line of JSON says. */
export function fromLine<T extends LabRequest | LabReply>(line: string): T {
  return JSON.parse(line, (_key, value: unknown) => {
    if (value === null || typeof value !== 'object' || !(BYTES in value)) return value
    return new Uint8Array(Buffer.from(String(value[BYTES]), 'base64'))
  }) as T
}
