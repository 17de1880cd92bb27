/**
 * What a row is about: `command`: a behaviour is handed a command; `event`: it hears an event; `port`: it calls a port;
 * `operator`: a stage that `profiled` names, and `below` what follows it; `work`: a command's work from its start to its end;
 * `port-wait`: what a port gives, from subscription to end. The last two are waits: most of their time others run.
 */
export type TimingKind = 'command' | 'event' | 'port' | 'operator' | 'below' | 'work' | 'port-wait' | 'other'

/** Where time was spent. @unit every `…Ms`: milliseconds; quantiles are at most 9 % too long */
export interface TimingRow {
  /** See {@link TimingKind}. */
  readonly kind: TimingKind
  /** Type of the command, name of the behaviour, `behaviour.port`, or what `profiled` was told. */
  readonly name: string
  /** How often. */
  readonly count: number
  /** Altogether, with everything that was called from it. */
  readonly totalMs: number
  /** Altogether, without what else is timed and was called from it. Missing for waits. */
  readonly selfMs?: number
  /** On average. */
  readonly meanMs: number
  /** Half of the times it took no longer. */
  readonly p50Ms: number
  /** Of a hundred times, once it took longer. */
  readonly p99Ms: number
  /** The longest. */
  readonly maxMs: number
}

/** Time spent in a part, called by those before it. */
export interface TimingStack {
  /** Kind and name of each, from the outermost. */
  readonly stack: readonly string[]
  /** @unit milliseconds */
  readonly selfMs: number
}

/** A file that speedscope opens, in its own words. */
export interface SpeedscopeFile {
  /** By this it knows the form. */
  readonly $schema: string
  /** What it is called there. */
  readonly name: string
  /** Which profile is shown first. */
  readonly activeProfileIndex: 0
  /** Who wrote it. */
  readonly exporter: string
  /** What the profiles share: the parts, which samples name by their index. */
  readonly shared: { readonly frames: readonly { readonly name: string }[] }
  /** One profile: stacks, and the time that was spent in each. */
  readonly profiles: readonly {
    readonly type: 'sampled'
    readonly name: string
    readonly unit: 'milliseconds'
    readonly startValue: number
    readonly endValue: number
    readonly samples: readonly (readonly number[])[]
    readonly weights: readonly number[]
  }[]
}

/** Where the time of a swarm went, by behaviour and operator. */
export class TimingReport {
  /** How long was measured. @unit milliseconds */
  readonly durationMs: number
  /** The largest total first. */
  readonly rows: readonly TimingRow[]
  /** The same as stacks. */
  readonly stacks: readonly TimingStack[]

  constructor(durationMs: number, rows: readonly TimingRow[], stacks: readonly TimingStack[]) {
    this.durationMs = durationMs
    this.rows = rows
    this.stacks = stacks
  }

  /** For speedscope, whose left-heavy view is the one to look at: the stacks are sums, in no order of time. */
  toSpeedscope(name = 'rxswarm'): SpeedscopeFile {
    const index = new Map<string, number>()
    const at = (part: string): number => {
      const known = index.get(part)
      if (known !== undefined) return known
      index.set(part, index.size)
      return index.size - 1
    }
    const samples = this.stacks.map(({ stack }) => stack.map(at))
    const weights = this.stacks.map(({ selfMs }) => selfMs)
    const endValue = weights.reduce((sum, weight) => sum + weight, 0)
    return {
      $schema: 'https://www.speedscope.app/file-format-schema.json',
      name,
      activeProfileIndex: 0,
      exporter: 'rxswarm',
      shared: { frames: [...index.keys()].map((part) => ({ name: part })) },
      profiles: [{ type: 'sampled', name, unit: 'milliseconds', startValue: 0, endValue, samples, weights }],
    }
  }
}
