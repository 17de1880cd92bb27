import type { AnyModule, Fact, NodeEvent } from 'rxswarm'
import { metrics, type MetricsOptions } from 'rxswarm/observability'
import { fakeSwarm } from 'rxswarm/testing'
import { EMPTY, NEVER, Subject } from 'rxjs'
import { behaviourMetrics } from '../../../src/observability/metrics/catalogue/behaviourMetrics.ts'
import type { MetricsProbe } from '../../../src/observability/metrics/metricsProbe.ts'

/** What a swarm that is counted hears from libp2p; everything else is said by a behaviour. */
const OF_THE_NODE = /^(connection|peer):(open|close|prune|disconnect)$/

/**
 * A swarm in which every behaviour seems to be in use, and one says what it is told to.
 *
 * @param real Modules whose state is the real one.
 */
export function tellingSwarm(real: readonly AnyModule[] = [], options: MetricsOptions = {}) {
  const fact$ = new Subject<Fact>()
  const event$ = new Subject<NodeEvent>()
  const silent = ({ name, state }: Pick<AnyModule, 'name' | 'state'>): AnyModule => ({
    name,
    ...(state === undefined ? {} : { state }),
    commands: {},
    ports: () => undefined,
    behaviour: () => NEVER,
  })
  const teller: AnyModule = { ...silent({ name: 'teller' }), behaviour: () => fact$ }
  const own = metrics({ process: false, ...options })
  let probe: MetricsProbe | undefined
  const spied = { ...own, probe: (probed: never) => (probe = own.probe!(probed) as MetricsProbe) }
  const others = Object.keys(behaviourMetrics).filter((name) => real.every((module) => module.name !== name))
  const modules = [...real.map(silent), ...others.map((name) => silent({ name })), teller, spied]
  const swarm = fakeSwarm(modules, { ports: { metrics: { scrape: () => EMPTY } }, event$ })
  const say = (type: string, fields: object = {}) => {
    const event = { type, ...fields }
    if (OF_THE_NODE.test(type)) event$.next(event as NodeEvent)
    else fact$.next(event)
  }
  return { swarm, say, read: () => probe!.write('prometheus') }
}

/** Every sample of a page but those of buckets, by name and labels. */
export function samplesOf(page: string): ReadonlyMap<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !/^\w+_bucket\{/.test(line))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}
