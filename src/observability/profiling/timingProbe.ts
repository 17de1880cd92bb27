import { Observable } from 'rxjs'
import type { AnyCommand } from '../../swarm/vocabulary/command.ts'
import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import type { ProfilingPorts } from './profilingVocabulary.ts'
import { partOf, type TimedPart } from './stopwatch.ts'
import { timedNext } from './timedNext.ts'
import { timedPorts } from './timedPorts.ts'
import { timing } from './timing.ts'

/**
 * Measures a swarm from inside, while `profiling.timing` runs: commands as they are handed over, events as behaviours hear
 * them, calls of ports, and how long work takes. Otherwise one comparison at each of these places.
 */
export class TimingProbe implements Probe {
  /** The swarm. */
  readonly probed: Probed
  readonly #own: ProfilingPorts
  /** By command type; only known types are handed over. */
  readonly #parts = new Map<string, { readonly handed: TimedPart; readonly work: TimedPart }>()

  /** @param own What profiling may call. */
  constructor(probed: Probed, own: ProfilingPorts) {
    this.probed = probed
    this.#own = own
  }

  handed({ type }: AnyCommand, hand: () => void): void {
    const watch = timing.current
    if (watch === undefined) return hand()
    watch.enter(this.#partsOf(type).handed)
    try {
      hand()
    } finally {
      watch.leave()
    }
  }

  attempt<T>({ type }: AnyCommand, work$: Observable<T>): Observable<T> {
    const watch = timing.current
    if (watch === undefined) return work$
    return new Observable((out) => {
      const startedAt = watch.now()
      out.add(() => watch.note(this.#partsOf(type).work, watch.now() - startedAt))
      return work$.subscribe(out)
    })
  }

  heard(behaviour: string, event$: Observable<Stamped<Fact>>): Observable<Stamped<Fact>> {
    return timedNext(partOf('event', behaviour), event$)
  }

  /** Hosts other than libp2p have no ports for profiling: they get the same ones. */
  ports(behaviour: string, ports: unknown): unknown {
    return behaviour === 'profiling' ? (ports ?? this.#own) : timedPorts(behaviour, ports)
  }

  #partsOf(type: string) {
    const known = this.#parts.get(type)
    if (known !== undefined) return known
    const parts = { handed: partOf('command', type), work: partOf('work', type) }
    this.#parts.set(type, parts)
    return parts
  }
}
