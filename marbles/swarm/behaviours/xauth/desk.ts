import { StreamError, type ConnectionInfo, type Por, type PorRequest, type PorResponse } from 'rxswarm'
import { fakeWires } from 'rxswarm/testing'
import { defer, EMPTY, NEVER, of, Subject, VirtualTimeScheduler, type Observable } from 'rxjs'
import {
  xauthBehaviour,
  type Arrival,
  type XauthPorts,
  type XauthSettings,
} from '../../../../src/swarm/behaviours/xauth/xauthBehaviour.ts'
import type { InboundRequest } from '../../../../src/swarm/behaviours/xauth/xauthState.ts'
import type { XauthCommand, XauthEvent } from '../../../../src/swarm/behaviours/xauth/xauthVocabulary.ts'
import type { Fact, Outcome } from '../../../../src/swarm/vocabulary/event.ts'

/** When every desk begins. @unit seconds since the Unix epoch */
export const NOW_S = 1_700_000_000

export const settings: XauthSettings = {
  trust: ['o'],
  approve: 'list',
  start: 'on-connect',
  timeoutMs: 10_000,
  renewBeforeS: 300,
  maxLifetimeS: 100_000,
  metadata: {},
}

const proof = (issuedAtS: number, expiresAtS: number): Por => ({
  ownerPublicKey: new Uint8Array(),
  peerId: new Uint8Array(),
  issuedAtS,
  expiresAtS,
  signature: new Uint8Array(),
})

/** A connection, as libp2p tells of it. */
export const connection = (id = 'c', peer = 'p'): ConnectionInfo => ({
  id,
  peer,
  address: `/memory/${id}`,
  direction: 'inbound',
  since: 0,
  transport: 'memory',
  direct: true,
  limited: false,
})

/** What may differ from a good request of peer `p` on connection `c`; times are seconds from {@link NOW_S}. */
export interface Shows {
  readonly request?: string
  readonly on?: string
  readonly owner?: string
  readonly subject?: string
  readonly from?: number
  readonly to?: number
  readonly metadata?: Readonly<Record<string, string>>
}

export const request = ({ request: name = 'r', on = 'c', owner = 'o', subject = 'p', ...rest }: Shows = {}) => {
  const { from = 0, to = 3_600, metadata = {} } = rest
  const por = proof(NOW_S + from, NOW_S + to)
  return { request: name, connection: on, por, owner, subject, metadata } satisfies InboundRequest
}

/** A fact in a few words. */
export function brief(fact: Fact): string {
  const said = fact as XauthEvent | Outcome
  switch (said.type) {
    case 'xauth:requested':
      return `requested ${said.request}${said.trusted ? '' : ' (untrusted)'}`
    case 'xauth:succeeded':
      return `succeeded ${said.direction} ${said.connection}`
    case 'xauth:authenticated':
      return `authenticated ${said.connection}`
    case 'xauth:denied':
      return `denied ${said.direction} ${said.protocol}`
    case 'xauth:failed':
      return `failed ${said.direction} ${said.connection}: ${said.reason}${said.ended ? '' : ' (the last holds)'}`
    case 'xauth:expiring':
      return `expiring ${said.direction}`
    case 'xauth:renewed':
      return `renewed ${said.direction} to ${said.expiresAtS - NOW_S}`
    case 'xauth:revoked':
      return `revoked ${said.connections.join(' ')}`
    case 'xauth:trust-changed':
      return `trusted ${said.trusted.join(' ')}`
    case 'xauth:confirmed':
      return `confirmed ${said.report.connection}`
    case 'xauth:renewals-done':
      return `renewals ${said.count}`
    case 'xauth:approval-failed':
      return `approval-failed ${said.error.message}`
    case 'command:completed':
      return `completed ${said.command}`
    case 'command:failed':
      return `${said.command} ${said.error.name}`
    case 'command:cancelled':
      return said.type
  }
}

/** Xauth at a desk: its ports are slips of paper, its clock is turned by hand, and all that it says and does is written down. */
export class Desk {
  readonly clock = new VirtualTimeScheduler()
  readonly said: Fact[] = []
  /** What it asked for since, by connection: to be answered, or not. */
  readonly asks = new Map<string, Subject<PorResponse>>()
  /** Of our proofs, seconds from {@link NOW_S}: those of the next ones, the last of which is used on and on. */
  ours: { from: number; to: number }[] = [{ from: 0, to: 3_600 }]
  readonly #input = {
    command$: new Subject<XauthCommand>(),
    cancel$: new Subject<string>(),
    event$: new Subject<never>(),
    arrival$: new Subject<Arrival>(),
  }
  #log: string[] = []
  #error: unknown

  constructor(change: Partial<XauthSettings> = {}, ports: Partial<XauthPorts> = {}) {
    this.clock.frame = NOW_S * 1_000
    const did = (what: string): Observable<never> =>
      defer(() => {
        this.#log.push(what)
        return EMPTY
      })
    const own: XauthPorts = {
      connections: () => of([]),
      arrival$: this.#input.arrival$,
      denied$: NEVER,
      prove: () =>
        defer(() => {
          const { from, to } = this.ours.length > 1 ? this.ours.shift()! : this.ours[0]!
          return of({ proof: proof(NOW_S + from, NOW_S + to), owner: 'us' })
        }),
      ask: (id: string, _request: PorRequest) =>
        defer(() => {
          this.#log.push(`ask ${id}`)
          const answer$ = new Subject<PorResponse>()
          this.asks.set(id, answer$)
          return answer$
        }),
      respond: (name, response) => did(`respond ${name} ${response.ok ? 'ok' : response.reason}`),
      isSigned: () => of(true),
      stand: (id, standing, owner) => did(`stand ${id} ${standing}${owner === undefined ? '' : ` ${owner}`}`),
      hangUp: (id) => did(`hang up ${id}`),
      ...ports,
    }
    const wires = fakeWires({ ...this.#input, ports: own, scheduler: this.clock })
    xauthBehaviour({ ...settings, ...change })(wires).subscribe({
      next: (fact) => {
        this.said.push(fact)
        this.#log.push(brief(fact))
        this.#input.event$.next({ ...fact, at: this.clock.now() } as never)
      },
      error: (error: unknown) => (this.#error = error),
    })
  }

  /** What was said and done since the last look. */
  took(): readonly string[] {
    if (this.#error !== undefined) throw this.#error
    const log = this.#log
    this.#log = []
    return log
  }
  open(id = 'c', peer = 'p'): this {
    this.#input.event$.next({ type: 'connection:open', at: 0, connection: connection(id, peer) } as never)
    return this
  }
  close(id = 'c', peer = 'p'): this {
    this.#input.event$.next({ type: 'connection:close', at: 0, connection: connection(id, peer) } as never)
    return this
  }
  arrive(shows: Shows = {}): this {
    this.#input.arrival$.next({ type: 'requested', request: request(shows) })
    return this
  }
  garbage(error: Error = new StreamError('garbage'), name = 'r', on = 'c'): this {
    this.#input.arrival$.next({ type: 'malformed', request: name, connection: on, error: error as StreamError })
    return this
  }
  /** The remote says yes, or no with a reason. */
  answer(on = 'c', reason?: string): this {
    this.asks.get(on)!.next(reason === undefined ? { ok: true, metadata: {} } : { ok: false, reason })
    return this
  }
  breaks(error: unknown, on = 'c'): this {
    this.asks.get(on)!.error(error)
    return this
  }
  tell(command: XauthCommand): this {
    this.#input.command$.next(command)
    return this
  }
  cancel({ id }: XauthCommand): this {
    this.#input.cancel$.next(id)
    return this
  }
  /** Lets time pass, to the millisecond. */
  pass(ms: number): this {
    const to = this.clock.frame + ms
    this.clock.maxFrames = to
    this.clock.flush()
    this.clock.frame = to
    return this
  }
  /** Lets time pass until so many seconds from {@link NOW_S}, and that many milliseconds. */
  passTo(seconds: number, ms = 0): this {
    return this.pass((NOW_S + seconds) * 1_000 + ms - this.clock.frame)
  }
  /** Both have accepted each other. */
  friends(id = 'c', peer = 'p', shows: Shows = {}): this {
    this.open(id, peer)
      .answer(id)
      .arrive({ request: `first ${id}`, on: id, subject: peer, ...shows })
    this.took()
    return this
  }
}

/** A port that never answers. */
export const silence = (): Observable<never> => NEVER
