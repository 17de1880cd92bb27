/** What a policy tells of a call, besides the call's own outcome. Every one has a reason; `policy` is the kind of the policy. */
export type PolicyEvent = PolicyFact & {
  /** The key of a keyed policy: a peer, a peer and a protocol. */
  readonly key?: string
  /** Id of the command that the call is made for. */
  readonly cause?: string
}

type PolicyFact =
  | {
      readonly type: 'policy:retried'
      readonly policy: 'retry'
      readonly error: unknown
      /** The first retry is 1. */
      readonly retry: number
      /** Until it is made. */
      readonly delayMs: number
    }
  | {
      /** A retry that was worth it, and is not made. */
      readonly type: 'policy:rejected'
      readonly policy: 'retry'
      readonly reason: 'retries used up' | 'retry budget used up' | 'deadline too near'
      readonly error: unknown
    }
  | {
      readonly type: 'policy:rejected'
      readonly policy: 'breaker' | 'bulkhead' | 'rate-limit'
      readonly reason: 'open' | 'half-open' | 'isolated' | 'full' | 'limit reached'
      readonly error?: unknown
    }
  | { readonly type: 'policy:dropped'; readonly policy: 'rate-limit'; readonly reason: 'limit reached' }
  | { readonly type: 'policy:delayed'; readonly policy: 'rate-limit'; readonly delayMs: number }
  | {
      /** The circuit opens: calls are rejected until a probe is due. */
      readonly type: 'policy:tripped'
      readonly policy: 'breaker'
      readonly error: unknown
      readonly openMs: number
    }
  | { readonly type: 'policy:probed'; readonly policy: 'breaker' }
  | { readonly type: 'policy:recovered'; readonly policy: 'breaker' }
  | {
      /** The circuit would open, and may not: too many are open already. */
      readonly type: 'policy:spared'
      readonly policy: 'breaker'
      readonly reason: string
      readonly error: unknown
    }
  | { readonly type: 'policy:hedged'; readonly policy: 'hedge'; readonly afterMs: number }
  | { readonly type: 'policy:timed-out'; readonly policy: 'timeout' | 'deadline'; readonly afterMs: number }
  | { readonly type: 'policy:fell-back'; readonly policy: 'fallback'; readonly error: unknown }

/** Hears of what policies do. */
export type PolicyListener = (event: PolicyEvent) => void
