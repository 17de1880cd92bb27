import { AccessDeniedError, AuthenticationError, RateLimitedError, type SwarmError } from '../../../errors/errors.ts'
import { Relay } from '../../../operators/relay.ts'
import { accessLimiter, type AccessLimiter } from '../../../security/access/accessLimits.ts'
import type { AccessLimit } from '../../../security/access/accessLimit.ts'
import type { AccessDecision, AccessPolicy, AccessRequest } from '../../../security/access/accessPolicy.ts'
import { compilePolicy, type CompiledPolicy } from '../../../security/access/compilePolicy.ts'
import { compilePins, type CompiledPins } from '../../../security/access/pins.ts'
import type { Pin } from '../../../security/access/pin.ts'
import { compareDecisions, type ShadowPolicy, type ShadowReport } from '../../../security/access/shadowPolicy.ts'
import type { AnyCommand } from '../../vocabulary/command.ts'
import type { AccessEvent, AccessSubject, Explanation } from './accessVocabulary.ts'
import { wantedBy } from './wantedBy.ts'

/** What {@link AccessControl} starts with. */
export interface AccessRules {
  readonly policy: AccessPolicy
  readonly shadow?: AccessPolicy | undefined
  readonly limits: readonly AccessLimit[]
  readonly pins: readonly Pin[]
  readonly blocked: readonly string[]
  /** Which decisions are told of. */
  readonly report: 'all' | 'denied'
}

/** Whoever is blocked is blocked under every policy. */
const BLOCKED: AccessDecision = { effect: 'deny', rule: -1, reason: 'the peer or its subnet is blocked' }

/** Nothing was compared. */
const NO_REPORT: ShadowReport = { decisions: 0, wouldDeny: 0, wouldAllow: 0, differences: [], kinds: 0, uncounted: 0 }

/**
 * The rules that are in force: asked by the gate, the gater, gossip, the DHT and the intake of commands, and changed while
 * all of them run.
 *
 * @shape  Every answer is at once; what was decided is told by `event$`.
 */
export class AccessControl {
  /** What was decided, as it is decided. */
  readonly event$ = new Relay<AccessEvent>()
  readonly #report: AccessRules['report']
  readonly #traffic: Readonly<Record<'inbound' | 'outbound', AccessLimiter>>
  readonly #commands: AccessLimiter
  #policy: CompiledPolicy
  #candidate: CompiledPolicy | undefined
  #shadow: ShadowPolicy | undefined
  #pins: CompiledPins
  #blocked: CompiledPolicy
  #blockedNames: readonly string[]

  constructor({ policy, shadow, limits, pins, blocked, report }: AccessRules) {
    this.#report = report
    this.#policy = compilePolicy(policy)
    this.#candidate = shadow && compilePolicy(shadow)
    this.#shadow = this.#candidate && compareDecisions(this.#policy, this.#candidate)
    const { inbound, outbound, commands } = parted(limits)
    this.#traffic = { inbound: accessLimiter(inbound), outbound: accessLimiter(outbound) }
    this.#commands = accessLimiter(commands)
    this.#pins = compilePins(pins)
    this.#blockedNames = [...new Set(blocked)]
    this.#blocked = blocking(this.#blockedNames)
  }

  /** What is decided about a request; nothing is told of it. */
  decide(request: AccessRequest): AccessDecision {
    const blocked = this.#blocked.decide(request)
    if (blocked.effect === 'deny') return BLOCKED
    return this.#policy.decide(request)
  }

  /** Whether a peer or an address is blocked; an address may be asked about before anybody knows the peer. */
  isBlocked(who: Pick<AccessRequest, 'peer' | 'address'>): boolean {
    return this.#blocked.decide({ action: 'accept', direction: 'inbound', ...who }).effect === 'deny'
  }

  /** Why a request is denied, if it is. */
  refusal(request: AccessRequest): AccessDeniedError | undefined {
    const decision = this.decide(request)
    return decision.effect === 'allow' ? undefined : denied(request, decision)
  }

  /** The same, and tells what was decided; the candidate, if one runs, is asked too. */
  judge(subject: AccessSubject): AccessDeniedError | undefined {
    const decision = this.decide(subject)
    this.#tell(subject, decision)
    const difference = decision === BLOCKED ? undefined : this.#shadow?.compare(subject)
    if (difference !== undefined) this.event$.next({ type: 'access:would-differ', ...difference })
    return decision.effect === 'allow' ? undefined : denied(subject, decision)
  }

  /** Why a request comes too soon, if it does; else it is counted. */
  charge(subject: AccessSubject, nowMs: number): RateLimitedError | undefined {
    return this.#take(this.#traffic[subject.direction], subject, nowMs)
  }

  /** Why a command may not be taken in, if so. */
  admit(command: AnyCommand, nowMs: number): SwarmError | undefined {
    const { type, id, meta } = command
    const { wanted, subject } = wantedBy(command)
    const about = { ...subject, command: type }
    const principal = meta?.principal === undefined ? {} : { peer: meta.principal }
    const limited = this.#take(this.#commands, { ...about, ...principal }, nowMs)
    const refusal = limited ?? (wanted ? this.judge(about) : undefined)
    return refusal && Object.assign(refusal, { command: type, commandId: id })
  }

  /** Why whoever answers at an address, or comes from it, is somebody else than its pin says, if so. */
  mismatch(
    addresses: readonly string[],
    peer: string,
    key: string | undefined,
    ip: string | undefined,
  ): AuthenticationError | undefined {
    for (const address of new Set(addresses)) {
      const outcome = this.#pins.check(address, peer, key)
      if (outcome.ok) continue
      const expected = [...outcome.expected]
      this.event$.next({ type: 'access:pin-mismatch', address, peer, ...(ip === undefined ? {} : { ip }), expected })
      const message = `${address} is pinned to ${expected.join(', ')}, and ${peer} answers there`
      return new AuthenticationError(message, { peer, address })
    }
    return undefined
  }

  /** Puts another policy in force. @errors `ConfigError` with every problem; the one before stays then */
  setPolicy(policy: AccessPolicy): number {
    this.#policy = compilePolicy(policy)
    this.#shadow = this.#candidate && compareDecisions(this.#policy, this.#candidate)
    return this.#policy.policy.rules.length
  }

  /** Runs a candidate beside it, or none. @errors `ConfigError` with every problem; the one before stays then */
  setShadow(policy: AccessPolicy | undefined): void {
    this.#candidate = policy && compilePolicy(policy)
    this.#shadow = this.#candidate && compareDecisions(this.#policy, this.#candidate)
  }

  /** Puts other limits in force; what a limit has counted stays counted. @errors `ConfigError`; those before stay then */
  setLimits(limits: readonly AccessLimit[], nowMs: number): void {
    const { inbound, outbound, commands } = parted(limits)
    accessLimiter(limits) // all problems, before any is changed
    this.#traffic.inbound.swap(inbound, nowMs)
    this.#traffic.outbound.swap(outbound, nowMs)
    this.#commands.swap(commands, nowMs)
  }

  /** Puts other pins in force. @errors `ConfigError`; those before stay then */
  setPins(pins: readonly Pin[]): void {
    this.#pins = compilePins(pins)
  }

  /** Blocks peers, IPs and subnets, or no longer. @errors `ConfigError` for what is none of these */
  block(add: readonly string[], remove: readonly string[]): readonly string[] {
    const names = new Set([...this.#blockedNames, ...add])
    for (const name of remove) names.delete(name)
    this.#blocked = blocking([...names])
    return (this.#blockedNames = [...names])
  }

  /** What is decided about a request, and what the candidate would. */
  explain(request: AccessRequest): Explanation {
    const decision = this.decide(request)
    return this.#candidate === undefined ? { decision } : { decision, shadow: this.#candidate.decide(request) }
  }

  /** What the candidate would have decided differently so far. */
  report(): ShadowReport {
    return this.#shadow?.report() ?? NO_REPORT
  }

  #tell(subject: AccessSubject, { effect, rule, id, reason }: AccessDecision): void {
    if (effect === 'allow' && this.#report === 'denied') return
    const type = effect === 'allow' ? 'access:allowed' : 'access:denied'
    this.event$.next({ type, ...subject, rule, ...(id === undefined ? {} : { id }), reason })
  }

  #take(limiter: AccessLimiter, subject: AccessSubject, nowMs: number): RateLimitedError | undefined {
    const outcome = limiter.take(subject, nowMs)
    if (outcome.ok) return undefined
    const { limit, key, retryInMs } = outcome
    const name = limit.id ?? limit.per
    this.event$.next({ type: 'access:limited', ...subject, limit: name, key, retryInMs })
    const message = `${subject.command ?? subject.protocol ?? subject.action}: more than ${limit.perSecond} a second for ${key || 'all'} (limit ${name}); the next is due in ${retryInMs} ms`
    const { peer, protocol } = subject
    return new RateLimitedError(message, {
      limit: limit.perSecond,
      ...(peer && { peer }),
      ...(protocol && { protocol }),
    })
  }
}

function denied({ action, peer, protocol, topic }: AccessRequest, { reason }: AccessDecision): AccessDeniedError {
  const what = [action, protocol ?? topic, peer].filter((part) => part !== undefined).join(' ')
  const about = { ...(peer && { peer }), ...(protocol && { protocol }), ...(topic && { topic }) }
  return new AccessDeniedError(`${what}: ${reason}`, about)
}

/** Limits of commands; those of what comes in; and those that name the other direction. */
function parted(limits: readonly AccessLimit[]) {
  const isOfCommands = ({ per, match }: AccessLimit) => per === 'command' || match?.command !== undefined
  const ofTraffic = limits.filter((limit) => !isOfCommands(limit))
  return {
    commands: limits.filter(isOfCommands),
    inbound: ofTraffic.filter(({ match }) => match?.direction !== 'outbound'),
    outbound: ofTraffic.filter(({ match }) => match?.direction === 'outbound'),
  }
}

/** A policy that denies these peers, IPs and subnets, and nothing else. */
function blocking(names: readonly string[]): CompiledPolicy {
  const isAddress = (name: string) => name.includes('.') || name.includes(':')
  const [addresses, peers] = [names.filter(isAddress), names.filter((name) => !isAddress(name))]
  return compilePolicy({
    rules: [
      ...(addresses.length > 0 ? [{ effect: 'deny', address: addresses } as const] : []),
      ...(peers.length > 0 ? [{ effect: 'deny', peer: peers } as const] : []),
    ],
    default: 'allow',
  })
}
