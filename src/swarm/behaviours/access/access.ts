import { isObservable, type Observable } from 'rxjs'
import { z } from 'zod'
import { accessLimiter } from '../../../security/access/accessLimits.ts'
import type { AccessLimit } from '../../../security/access/accessLimit.ts'
import type { AccessPolicy, AccessRequest } from '../../../security/access/accessPolicy.ts'
import { compilePolicy } from '../../../security/access/compilePolicy.ts'
import { compilePins } from '../../../security/access/pins.ts'
import type { Pin } from '../../../security/access/pin.ts'
import { ConfigError, type ConfigProblem } from '../../../errors/errors.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import type { BehaviourModule, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import { accessBehaviour, type AccessPorts } from './accessBehaviour.ts'
import { AccessControl } from './accessControl.ts'
import { accessPorts } from './accessPorts.ts'
import type {
  AccessCommand,
  AccessEvent,
  Block,
  Explain,
  ReportShadow,
  SetLimits,
  SetPins,
  SetPolicy,
  SetShadow,
} from './accessVocabulary.ts'

/** Options of {@link access}. */
export interface AccessOptions {
  /** Who may do what; as a stream, each policy takes the place of the one before. */
  readonly policy: AccessPolicy | Observable<AccessPolicy>
  /** A candidate that is asked too, and decides nothing: what it would decide differently is `access:would-differ`. */
  readonly shadow?: AccessPolicy
  /** How often. Default: as often as anybody likes. */
  readonly limits?: readonly AccessLimit[] | Observable<readonly AccessLimit[]>
  /** Which peers, or keys, may answer at an address, or come from it. */
  readonly pins?: readonly Pin[]
  /** Peer ids, IPs and subnets that are denied before the policy is asked, and before a handshake where that is possible. */
  readonly blocked?: readonly string[]
  /** Which decisions are events: `all`, or what was `denied`. Default: `all`. */
  readonly report?: 'all' | 'denied'
  /** Protocols over which the policy does not decide, since without them nobody becomes known. Default: identify, its push, and xauth. */
  readonly open?: readonly string[]
}

/** What is in force. */
export interface AccessState {
  /** Rules of the policy. */
  readonly rules: number
  /** Requests that were denied since the start. */
  readonly denied: number
  /** Refused for their rate. */
  readonly limited: number
  /** Peers, IPs and subnets that are blocked. */
  readonly blocked: readonly string[]
}

const OPEN = ['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0', '/por-auth/1.0.0']

/** While a policy is still to come by a stream, nothing may be done. */
const NOTHING: AccessPolicy = { rules: [], default: 'deny' }

const texts = (what: string) =>
  z.array(z.string('must be text').min(1, 'must not be empty'), `must be a list of ${what}`)

const schema = z.strictObject({
  policy: z.custom<AccessOptions['policy']>((value) => typeof value === 'object' && value !== null, 'must be a policy'),
  shadow: z.custom<AccessPolicy>().optional(),
  limits: z
    .custom<NonNullable<AccessOptions['limits']>>(
      (value) => Array.isArray(value) || isObservable(value),
      'must be a list of limits',
    )
    .default([]),
  pins: z.custom<readonly Pin[]>((value) => Array.isArray(value), 'must be a list of pins').default([]),
  blocked: texts('peers and subnets').default([]),
  report: z.enum(['all', 'denied'], 'must be all or denied').default('all'),
  open: texts('protocol ids').default(OPEN),
})

type Parsed = z.output<typeof schema>

/** What is wrong with rules, by their path in the options. */
function problemsOfRules({ policy, shadow, limits, pins }: Parsed): readonly ConfigProblem[] {
  const tried = (at: string, path: string, compile: () => unknown): readonly ConfigProblem[] => {
    try {
      compile()
      return []
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return error.problems.map(({ path: inner, message }) => ({ path: `access.${inner.replace(at, path)}`, message }))
    }
  }
  return [
    ...(isObservable(policy) ? [] : tried('policy', 'policy', () => compilePolicy(policy))),
    ...(shadow === undefined ? [] : tried('policy', 'shadow', () => compilePolicy(shadow))),
    ...(isObservable(limits) ? [] : tried('limits', 'limits', () => accessLimiter(limits))),
    ...tried('pins', 'pins', () => compilePins(pins)),
  ]
}

const state = (rules: number, blocked: readonly string[]): Slice<AccessState, AccessEvent | CoreEvent> => ({
  initial: { rules, denied: 0, limited: 0, blocked },
  on: {
    'access:denied': (state) => ({ ...state, denied: state.denied + 1 }),
    'access:limited': (state) => ({ ...state, limited: state.limited + 1 }),
    'access:changed': (state, { rules: changed }) => (changed === undefined ? state : { ...state, rules: changed }),
    'access:blocked': (state, { blocked: names }) => ({ ...state, blocked: names }),
  },
})

function module(
  options: AccessOptions,
): BehaviourModule<'access', AccessCommand, AccessEvent, AccessPorts, AccessState> {
  const { value, problems: ofOptions } = problemsIn('access', schema, options)
  const problems = ofOptions.length > 0 ? ofOptions : problemsOfRules(value)
  const isUsable = problems.length === 0
  const fixed = <T>(given: T | Observable<T>, usual: T): T => (!isUsable || isObservable(given) ? usual : given)
  const stream = <T>(given: T | Observable<T>): Observable<T> | undefined => (isObservable(given) ? given : undefined)
  const policy = fixed(value.policy, NOTHING)
  const blocked = isUsable ? value.blocked : []
  const control = new AccessControl({
    policy,
    shadow: isUsable ? value.shadow : undefined,
    limits: fixed<readonly AccessLimit[]>(value.limits, []),
    pins: isUsable ? value.pins : [],
    blocked,
    report: value.report,
  })
  return {
    name: 'access',
    problems,
    commands: {
      'access/set': { answers: { 'access:changed': ({ rules = 0, closed = [] }) => ({ rules, closed }) } },
      'access/shadow': { answers: {} },
      'access/report': { answers: { 'access:reported': ({ report }) => report } },
      'access/limit': { answers: {} },
      'access/pin': { answers: {} },
      'access/block': { answers: { 'access:blocked': ({ blocked: names }) => names } },
      'access/explain': { answers: { 'access:explained': ({ explanation }) => explanation } },
    },
    state: state(policy.rules.length, blocked),
    options: value,
    admit: (sent, nowMs) => control.admit(sent, nowMs),
    ports: (node) => accessPorts(node, control, new Set(value.open)),
    behaviour: accessBehaviour({ policy$: stream(value.policy), limits$: stream(value.limits) }),
  }
}

/**
 * Decides who may do what: dial, accept, open streams, publish, subscribe, write to the DHT, relay; and how often.
 * `access({ policy })` for `use`, and its commands. Each `access()` belongs to one swarm.
 */
export const access = Object.assign(module, {
  /**
   * Puts another policy in force, at once: connections and streams that it does not allow are closed, the others stay.
   *
   * @shape  `execute` emits how many rules it has, and which connections were closed.
   * @errors `InvalidCommandError` for what is no policy; the one before stays then.
   */
  set: ({ policy }: { readonly policy: AccessPolicy }, meta?: CommandMeta): SetPolicy =>
    command('access/set', { policy }, meta),
  /** Runs a candidate beside the policy in force; without one, none. @errors as {@link access.set} */
  shadow: ({ policy }: { readonly policy?: AccessPolicy } = {}, meta?: CommandMeta): SetShadow =>
    command('access/shadow', { policy }, meta),
  /** Reports what the candidate would have decided differently since it, or the policy, was set. */
  report: (meta?: CommandMeta): ReportShadow => command('access/report', {}, meta),
  /** Puts other rate limits in force; what they have counted stays counted. @errors as {@link access.set} */
  limit: ({ limits }: { readonly limits: readonly AccessLimit[] }, meta?: CommandMeta): SetLimits =>
    command('access/limit', { limits }, meta),
  /** Puts other pins in force, for connections from now on. @errors as {@link access.set} */
  pin: ({ pins }: { readonly pins: readonly Pin[] }, meta?: CommandMeta): SetPins =>
    command('access/pin', { pins }, meta),
  /** Blocks peers, IPs and subnets, or no longer; their connections are closed. @shape `execute` emits all that are blocked */
  block: (
    { add = [], remove = [] }: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
    meta?: CommandMeta,
  ): Block => command('access/block', { add, remove }, meta),
  /** Says what would be decided, and by which rule, by the policy in force and by the candidate. Nothing is counted. */
  explain: ({ request }: { readonly request: AccessRequest }, meta?: CommandMeta): Explain =>
    command('access/explain', { request }, meta),
})
