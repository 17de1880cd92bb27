import { Subject, type Observable } from 'rxjs'
import type { Fact, Stamped } from '../../swarm/vocabulary/event.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import { plainEvent, type PlainEvent } from '../plainEvent.ts'
import { bytesByProtocol } from './bytesByProtocol.ts'
import { CommandTimes } from './commandTimes.ts'
import type { DashboardDecisions } from './dashboardOptions.ts'
import type { DashboardEvent } from './dashboardVocabulary.ts'
import { EventIntake } from './eventIntake.ts'
import type { Item, Sample } from './model/dashboardItem.ts'
import { emptyView, type View } from './model/dashboardView.ts'
import { ViewHistory } from './model/viewHistory.ts'

/** What only the host knows at a sample. */
export type Vitals = Pick<Sample, 'connections' | 'streams' | 'loop' | 'heapBytes' | 'rssBytes' | 'cpu'>

/** Who looks on: hears of every item once it is in the view. */
export interface Onlooker {
  /** A telling event. */
  item(event: PlainEvent): void
  /** A second, as numbers. */
  sample(sample: Sample): void
  /** Whether it wants this event of those that come in masses, as an example. */
  wantsExample(): boolean
  /** An example. */
  example(event: PlainEvent): void
  /** The swarm has stopped. */
  stopped(): void
}

/** Round trips that a sample has at most. */
const MOST_RTTS = 256

/** When the node has stopped; the server is closed before the swarm says that it has. */
const LAST_WORDS: ReadonlySet<string> = new Set(['stop', 'swarm:stopped'])

/** Watches a swarm for the dashboard: what is drawn, what was, and what happens. */
export class DashboardWatch implements Probe {
  /** The swarm. */
  readonly probed: Probed
  /** The view, and those before. */
  readonly history: ViewHistory
  /** Events, told apart and counted. */
  readonly intake = new EventIntake()
  /** When it began. @unit milliseconds of the swarm's scheduler */
  readonly startedAt: number
  /** Who looks on; nobody: nothing is done for them. */
  onlooker: Onlooker | undefined
  readonly #times: CommandTimes
  readonly #bytes: ReturnType<typeof bytesByProtocol>
  readonly #rtts = new Map<string, number>()
  readonly #said$ = new Subject<DashboardEvent>()
  #sampledAt: number

  /** @param nowMs For how long commands take. @unit milliseconds */
  constructor(probed: Probed, options: DashboardDecisions, nowMs: () => number) {
    this.probed = probed
    this.startedAt = probed.scheduler.now()
    this.#sampledAt = this.startedAt
    const endless = probed.modules.flatMap(({ commands }) =>
      Object.entries(commands).flatMap(([type, { openEnded }]) => (openEnded === true ? [type] : [])),
    )
    this.#bytes = bytesByProtocol(probed)
    this.#times = new CommandTimes(nowMs, new Set(endless))
    this.history = new ViewHistory({
      view: startOf(probed),
      at: this.startedAt,
      bounds: { items: options.historyItems, bytes: options.historyBytes },
    })
    probed.event$.subscribe({
      next: (event) => this.#hear(event),
      error: () => undefined,
    })
  }

  /** What the dashboard itself has to say. */
  get said$(): Observable<DashboardEvent> {
    return this.#said$
  }

  say(event: DashboardEvent): void {
    this.#said$.next(event)
  }

  readonly taken: NonNullable<Probe['taken']> = (command) => this.#times.taken(command)

  readonly settled: NonNullable<Probe['settled']> = (command, outcome) => this.#times.settled(command, outcome)

  /** Ends a second. */
  sample(vitals: Vitals): { readonly sample: Sample; readonly view: View } {
    const at = this.probed.scheduler.now()
    const bytes = this.#bytes()
    const sample: Sample = {
      type: 'sample',
      at,
      spanMs: Math.max(1, at - this.#sampledAt),
      events: this.intake.takeCounts(),
      commands: this.#times.take(),
      lanes: this.probed.lanes().map(({ lane, running, waiting, oldestMs, started, refused }) => ({
        lane,
        running,
        waiting,
        oldestMs,
        started,
        refused,
      })),
      rtts: [...this.#rtts],
      ...vitals,
      ...(bytes === undefined ? {} : { bytes }),
    }
    this.#sampledAt = at
    this.#rtts.clear()
    const view = this.#add(sample)
    this.onlooker?.sample(sample)
    return { sample, view }
  }

  #hear(event: Stamped<Fact>): void {
    const kind = this.intake.count(event)
    if (kind.class === 'mass' && kind.type.endsWith(':measured')) this.#measure(event as Measured)
    if (this.intake.isItem(kind, event)) {
      const item = plainEvent(event)
      this.#add(item)
      this.onlooker?.item(item)
      if (LAST_WORDS.has(event.type)) this.onlooker?.stopped()
    } else if (this.onlooker?.wantsExample() === true) this.onlooker.example(plainEvent(event))
    else kind.skipped++
  }

  #measure({ peer, rttMs }: Measured): void {
    if (typeof peer !== 'string' || typeof rttMs !== 'number') return
    if (this.#rtts.size < MOST_RTTS || this.#rtts.has(peer)) this.#rtts.set(peer, Math.round(rttMs * 100) / 100)
  }

  #add(item: Item): View {
    return this.history.add(item)
  }
}

type Measured = { readonly peer?: unknown; readonly rttMs?: unknown }

function startOf({ self, modules, state }: Probed): View {
  const kad = (state() as unknown as Readonly<Record<string, unknown>>)['kad'] as
    { readonly mode: string; readonly acts: string } | undefined
  return emptyView({
    self,
    modules: modules.map(({ name }) => name),
    ...(kad === undefined ? {} : { dht: { mode: kad.mode, acts: kad.acts } }),
  })
}
