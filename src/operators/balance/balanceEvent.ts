/** What a balancer tells of its targets, by their ids. Latencies are those of the last answers, in milliseconds. */
export type BalanceEvent =
  /** A target has become too slow beside the others. */
  | {
      readonly type: 'balance:shed'
      readonly target: string
      readonly latencyMs: number
      readonly medianMs: number
    }
  /** A target that was shed is as quick as the others again; `medianMs` is its own latency if no other is known. */
  | {
      readonly type: 'balance:restored'
      readonly target: string
      readonly latencyMs: number
      readonly medianMs: number
    }
  /** A call failed since there is no target. Told once, and again only after there has been one. */
  | { readonly type: 'balance:no-target' }
  /** A target was left out of the set: `idOf` or `weightOf` threw or gave what can't be used. `index` is its place. */
  | { readonly type: 'balance:refused'; readonly index: number; readonly cause: unknown }
