import { seeded } from '../../src/testing/simulation/seeded.ts'

/** What a proxy does to what goes through it, each way. Everything may change while it runs. */
export interface Weather {
  /** Of datagrams: lost. Of pieces of a TCP stream: late by {@link RETRANSMIT_MS}, and all behind them. @unit percent */
  lossPercent: number
  /** @unit milliseconds */
  delayMs: number
  /** Added to the delay, from 0 to this. Datagrams may overtake each other, TCP does not. @unit milliseconds */
  jitterMs: number
  /** Whether everything is swallowed, without a word. */
  blackHole: boolean
}

/** A port of the loopback that leads to another one through bad weather. */
export interface LossyProxy extends AsyncDisposable {
  /** Where to dial, in place of the port that it leads to. */
  readonly port: number
  /** To be changed at will. */
  readonly weather: Weather
  /** What came in so far. @unit datagrams, or pieces of a TCP stream */
  readonly seen: { readonly passed: number; readonly lost: number }
  /** TCP: ends every connection and takes no new ones. UDP: swallows everything. Until it is mended. */
  cut(): Promise<void>
  mend(): Promise<void>
}

/** Options of the proxies. */
export interface LossyProxyOptions extends Partial<Weather> {
  /** On the loopback: where everything goes. */
  readonly to: number
  /** The same seed has the same fate for the nth datagram. Default: 1. */
  readonly seed?: number
}

/** How long a TCP sender waits before it sends again what was lost. @source Linux: TCP_RTO_MIN */
const RETRANSMIT_MS = 200

/** What a proxy decides for what comes in next: undefined when it is lost. @unit milliseconds of delay */
export function fates(
  weather: Weather,
  seed: number,
  seen: { passed: number; lost: number },
): (isLate: boolean) => number | undefined {
  const random = seeded(seed)
  return (isLate) => {
    const [luck, shift] = [random() * 100, random()] // both, so that the nth has the same fate whatever the others'
    const delayMs = weather.delayMs + shift * weather.jitterMs
    const isLost = luck < weather.lossPercent
    if (weather.blackHole || (isLost && !isLate)) {
      seen.lost++
      return undefined
    }
    seen.passed++
    return isLost ? delayMs + RETRANSMIT_MS : delayMs
  }
}

/** Fair weather, but for what is given. */
export const fair = ({ lossPercent = 0, delayMs = 0, jitterMs = 0, blackHole = false }: Partial<Weather>): Weather => ({
  lossPercent,
  delayMs,
  jitterMs,
  blackHole,
})

/** Where the proxies are, and what they lead to. */
export const LOOPBACK = '127.0.0.1'
