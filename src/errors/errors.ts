/** One address that was tried. */
export interface DialAttempt {
  /** Multiaddr, as text. */
  readonly address: string
  /** When it was tried, from the beginning of the dial. @unit milliseconds */
  readonly afterMs: number
  /** Why it led to no connection. */
  readonly error: SwarmError
}

/** Where an error happened and to whom. Fields are present when they are known. */
export interface ErrorContext {
  /** The underlying failure, kept whole. */
  readonly cause?: unknown
  /** Peer id, as text. */
  readonly peer?: string
  /** Multiaddr, as text. */
  readonly address?: string
  /** The addresses that a dial tried, in that order; at most 25. */
  readonly attempts?: readonly DialAttempt[]
  /** The field of the command or option that is wrong: `key`, `meta.deadlineMs`, `transports[0]`. */
  readonly field?: string
  /** Record key, as text. */
  readonly key?: string
  /** Gossip topic. */
  readonly topic?: string
  /** Protocol id. */
  readonly protocol?: string
  /** Type of the command that failed. */
  readonly command?: string
  /** Id of the command that failed. */
  readonly commandId?: string
  /** Name of the behaviour that failed. */
  readonly behaviour?: string
  /** How long the operation was allowed to take. */
  readonly deadlineMs?: number
  /** The bound that was reached, in the unit that the message names. */
  readonly limit?: number
}

/**
 * What every failure of rxswarm is an instance of.
 *
 * @shape  `name` is the class's literal name, `code` a stable `ERR_…`, `retryable` says whether the same call may
 *         succeed later without a change by the caller; context fields are those of {@link ErrorContext}.
 * @errors Compare `name` or `code`, never `instanceof`: two copies of a package in one tree have two classes.
 * @source ours, after libp2p's errors that are told apart by name.
 */
export abstract class SwarmError extends Error {
  /** Literal name of the class. */
  abstract override readonly name: string
  /** Stable, upper-case code: `ERR_` and the reason. */
  abstract readonly code: string
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean = false
  /** See {@link ErrorContext}. */
  declare readonly peer?: string
  /** See {@link ErrorContext}. */
  declare readonly address?: string
  /** See {@link ErrorContext}. */
  declare readonly attempts?: readonly DialAttempt[]
  /** See {@link ErrorContext}. */
  declare readonly field?: string
  /** See {@link ErrorContext}. */
  declare readonly key?: string
  /** See {@link ErrorContext}. */
  declare readonly topic?: string
  /** See {@link ErrorContext}. */
  declare readonly protocol?: string
  /** See {@link ErrorContext}. */
  declare readonly command?: string
  /** See {@link ErrorContext}. */
  declare readonly commandId?: string
  /** See {@link ErrorContext}. */
  declare readonly behaviour?: string
  /** See {@link ErrorContext}. */
  declare readonly deadlineMs?: number
  /** See {@link ErrorContext}. */
  declare readonly limit?: number

  /** @param message What happened, to whom, and what to do. */
  constructor(message: string, context: ErrorContext = {}) {
    const { cause, ...fields } = context
    super(message, cause === undefined ? undefined : { cause })
    Object.assign(this, fields)
  }

  /** Plain form for logs, recordings and the wire: message, code and context, and the causes in the same form. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, retryable, cause } = this
    const context = { ...(this as Record<string, unknown>) }
    return { ...context, name, code, message, retryable, ...(cause === undefined ? {} : { cause: plain(cause) }) }
  }
}

/** Causes are told this deep. */
const MOST_CAUSES = 8

function plain(cause: unknown, depth = 0): unknown {
  if (!(cause instanceof Error)) {
    return typeof cause === 'string' || typeof cause === 'number' ? cause : Object.prototype.toString.call(cause)
  }
  const { name, message } = cause
  if (depth === MOST_CAUSES) return { name, message }
  const attempts =
    cause instanceof AggregateError ? { errors: cause.errors.map((error) => plain(error, depth + 1)) } : {}
  const deeper = cause.cause === undefined ? {} : { cause: plain(cause.cause, depth + 1) }
  return { name, message, ...attempts, ...deeper }
}

/** A {@link SwarmError} with its literal name and code. */
export interface Failure<Name extends string, Code extends string> extends SwarmError {
  /** Literal name of the class. */
  readonly name: Name
  /** Stable, upper-case code. */
  readonly code: Code
}

/** The same call may succeed later, unchanged. */
const RETRYABLE = true

/** The class of one kind of failure, to be extended under its own name. */
function failure<const Name extends string, const Code extends string>(
  name: Name,
  code: Code,
  retryable = false,
): new (message: string, context?: ErrorContext) => Failure<Name, Code> {
  return class extends SwarmError {
    override readonly name = name
    readonly code = code
    override readonly retryable = retryable
  }
}

/** A {@link Failure} of reading, with what had come until then. */
export interface PartialFailure<Name extends string, Code extends string> extends Failure<Name, Code> {
  /** What had arrived and was not yet handed out. Not in `toJSON`: it may be much, and it is the peer's. */
  readonly partial: Uint8Array
}

const NOTHING = new Uint8Array(0)

/** The class of one kind of failure that may cut a read short. */
function partialFailure<const Name extends string, const Code extends string>(
  name: Name,
  code: Code,
  retryable = false,
): new (message: string, context?: ErrorContext, partial?: Uint8Array) => PartialFailure<Name, Code> {
  return class extends failure(name, code, retryable) {
    readonly #partial: Uint8Array
    constructor(message: string, context?: ErrorContext, partial: Uint8Array = NOTHING) {
      super(message, context)
      this.#partial = partial
    }
    get partial(): Uint8Array {
      return this.#partial
    }
  }
}

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Path of the field, as one would write it: `limits.intake`, `use[2].name`. */
  readonly path: string
  /** What is wrong and what is expected. */
  readonly message: string
}

/** The options of `createSwarm` can't be used. Carries every problem, not just the first. */
export class ConfigError extends failure('ConfigError', 'ERR_CONFIG') {
  /** Every problem found, in the order of the fields. */
  readonly problems: readonly ConfigProblem[]
  constructor(problems: readonly ConfigProblem[], context?: ErrorContext) {
    super(`configuration: ${problems.map(({ path, message }) => `${path}: ${message}`).join('; ')}`, {
      ...context,
      ...(problems[0] === undefined ? {} : { field: problems[0].path }),
    })
    this.problems = problems
  }
}

/** A field of a command is missing, malformed or out of its range. */
export class InvalidCommandError extends failure('InvalidCommandError', 'ERR_INVALID_COMMAND') {}

/** No behaviour in `use` answers commands of this type. */
export class UnknownCommandError extends failure('UnknownCommandError', 'ERR_UNKNOWN_COMMAND') {}

/** The intake is full: as many commands as its bound are in flight. */
export class OverloadedError extends failure('OverloadedError', 'ERR_OVERLOADED', RETRYABLE) {}

/** The command did not settle in the time it was given. */
export class DeadlineError extends failure('DeadlineError', 'ERR_DEADLINE', RETRYABLE) {}

/** One attempt took longer than it may; another one may be quicker. */
export class TimeoutError extends failure('TimeoutError', 'ERR_TIMEOUT', RETRYABLE) {}

/** The swarm is stopping or has stopped. */
export class StoppedError extends failure('StoppedError', 'ERR_STOPPED') {}

/** The behaviour that held the command threw; the supervisor restarts it. */
export class BehaviourCrashedError extends failure('BehaviourCrashedError', 'ERR_BEHAVIOUR_CRASHED', RETRYABLE) {}

/** The peer could not be reached on any address, or went before the connection was usable. */
export class DialError extends failure('DialError', 'ERR_DIAL', RETRYABLE) {}

/** Nothing is known about the peer: neither a connection nor an address. */
export class UnknownPeerError extends failure('UnknownPeerError', 'ERR_UNKNOWN_PEER') {}

/** There is nobody to send it to: the set of targets is empty, and stayed so as long as the call may wait. */
export class NoTargetError extends failure('NoTargetError', 'ERR_NO_TARGET', RETRYABLE) {}

/** The peer is not, or no longer, who it must be. */
export class AuthenticationError extends failure('AuthenticationError', 'ERR_AUTHENTICATION') {}

/** A rule forbids it. Never retried. */
export class AccessDeniedError extends failure('AccessDeniedError', 'ERR_ACCESS_DENIED') {}

/** The caller asks more often than it may. */
export class RateLimitedError extends failure('RateLimitedError', 'ERR_RATE_LIMITED', RETRYABLE) {}

/** A circuit breaker is open: the last calls failed, and the next probe is not yet due. */
export class CircuitOpenError extends failure('CircuitOpenError', 'ERR_CIRCUIT_OPEN', RETRYABLE) {}

/** What a peer sent is not what its protocol says: `field` names the part. */
export class InvalidMessageError extends failure('InvalidMessageError', 'ERR_INVALID_MESSAGE') {}

/** A stream was reset, cut short, or could not be opened. */
export class StreamError extends partialFailure('StreamError', 'ERR_STREAM', RETRYABLE) {}

/** The peer finished writing before what was to be read had come whole. `partial` is what came. */
export class UnexpectedEndError extends partialFailure('UnexpectedEndError', 'ERR_UNEXPECTED_END') {}

/** More than the bound. `limit` is the bound, `partial` as much of what was read as it allows. @unit bytes */
export class TooLongError extends partialFailure('TooLongError', 'ERR_TOO_LONG') {}

/** The stream is not in a state for that: written to after its end, failed twice, read by two at once, read when closed. */
export class StreamStateError extends failure('StreamStateError', 'ERR_STREAM_STATE') {}

/** Halves of an xstream that do not go together, or more of them than may wait. */
export class PairingError extends failure('PairingError', 'ERR_PAIRING') {}

/** Only the acceptor of an xstream fails it, and only the opener hears of that. */
export class XStreamPermissionError extends failure('XStreamPermissionError', 'ERR_XSTREAM_PERMISSION') {}

/** The acceptor has failed the xstream, and says why. Nothing more is read from it. */
export class XStreamError extends partialFailure('XStreamError', 'ERR_XSTREAM') {
  readonly #bytes: Uint8Array
  /** Whether the acceptor said more than is kept. */
  readonly isCut: boolean
  constructor(
    message: string,
    said: { readonly bytes: Uint8Array; readonly isCut: boolean },
    context?: ErrorContext,
    partial?: Uint8Array,
  ) {
    super(message, context, partial)
    this.#bytes = said.bytes
    this.isCut = said.isCut
  }
  /** The acceptor's message, as it came. Not in `toJSON`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }
}

/** The remote peer does not speak the protocol. */
export class UnsupportedProtocolError extends failure('UnsupportedProtocolError', 'ERR_UNSUPPORTED_PROTOCOL') {}

/** The datastore failed. */
export class StorageError extends failure('StorageError', 'ERR_STORAGE') {}

/** Traces could not be sent to the collector. */
export class TelemetryError extends failure('TelemetryError', 'ERR_TELEMETRY', RETRYABLE) {}

/** A DHT operation failed on every peer that was asked. */
export class DhtError extends failure('DhtError', 'ERR_DHT', RETRYABLE) {}

/** The DHT was searched, and nobody has it. */
export class NotFoundError extends failure('NotFoundError', 'ERR_NOT_FOUND') {}

/** A record does not pass the validator of its namespace, or its namespace has none. */
export class InvalidRecordError extends failure('InvalidRecordError', 'ERR_INVALID_RECORD') {}

/** A message could not be published. */
export class PubsubError extends failure('PubsubError', 'ERR_PUBSUB', RETRYABLE) {}

/** The topic's own validator does not let the message through. */
export class RefusedMessageError extends failure('RefusedMessageError', 'ERR_REFUSED_MESSAGE') {}

/** A relay refused, or the relayed path broke. */
export class RelayError extends failure('RelayError', 'ERR_RELAY', RETRYABLE) {
  /** The status with which it refused, by its name in the specification: `RESERVATION_REFUSED`. */
  declare readonly status?: string
  constructor(message: string, context?: ErrorContext, status?: string) {
    super(message, context)
    if (status !== undefined) this.status = status
  }
}

/** A relay chain could not be opened, or a path of it broke. */
export class ChainError extends failure('ChainError', 'ERR_CHAIN', RETRYABLE) {
  /** Why: `OVERLOADED`, `UNREACHABLE`, `BUDGET`; see docs/chains.md. */
  readonly status: string
  /** Who says so, or where it broke: a peer id, when it is known. */
  readonly at: string | undefined
  constructor(message: string, status: string, context?: ErrorContext & { readonly at?: string | undefined }) {
    const { at, ...fields } = context ?? {}
    super(message, fields)
    this.status = status
    this.at = at
  }
}

/** A rendezvous point answered with a status other than OK. */
export class RendezvousError extends failure('RendezvousError', 'ERR_RENDEZVOUS') {
  /** The status of the response, by its name in the specification: `E_INVALID_TTL`. */
  readonly status: string
  constructor(message: string, status: string, context?: ErrorContext) {
    super(message, context)
    this.status = status
  }
}

/** A replay was asked for what its recording does not have. */
export class NotRecordedError extends failure('NotRecordedError', 'ERR_NOT_RECORDED') {}

/** Something failed that rxswarm has no class for; `cause` says what. */
export class UnexpectedError extends failure('UnexpectedError', 'ERR_UNEXPECTED') {}
