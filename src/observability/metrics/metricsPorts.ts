import { readFileSync } from 'node:fs'
import type { Libp2p } from '@libp2p/interface'
import { defer, from, type Observable } from 'rxjs'
import { countDials } from './dialPorts.ts'
import { Libp2pMetrics } from './libp2pMetrics.ts'
import type { MetricsPorts } from './metricsBehaviour.ts'
import type { MetricsFormat } from './metricsFormat.ts'
import type { MetricsProbe } from './metricsProbe.ts'
import { watchProcess } from './processPorts.ts'
import { ScrapedMetrics } from './scrapedMetrics.ts'
import { countStreams } from './streamPorts.ts'

/** libp2p's own metrics of one node. */
export function libp2pMetrics(): Libp2pMetrics {
  return new Libp2pMetrics(() => performance.now())
}

/** Ties a probe to the node whose swarm it watches. */
export function metricsPorts(node: Libp2p, probe: MetricsProbe, watched: { readonly process: boolean }): MetricsPorts {
  const { meters: m } = probe
  probe.turn = async () => new Promise((resolve) => setImmediate(resolve))
  m.rxswarm_info.at(node.peerId.toString(), VERSION, process.version).value = 1
  m.rxswarm_start_time_seconds.at().value = Date.now() / 1_000
  countStreams(node, probe)
  countDials(node, probe)
  if (watched.process) watchProcess(probe)

  const { metrics } = node as unknown as { readonly metrics?: unknown }
  if (metrics instanceof Libp2pMetrics) {
    metrics.each(
      (family) => probe.add([family]),
      (metric) => void m.rxswarm_metrics_overflow_total.at(metric).value++,
    )
    probe.read('libp2p', async () =>
      metrics.read(
        (name) => probe.failed(name),
        async (work) => probe.within(work),
      ),
    )
  }
  readServices(node, probe)
  return { scrape: (format) => scrape(probe, format) }
}

/** Of this package. */
const { version: VERSION } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

function scrape(probe: MetricsProbe, format: MetricsFormat): Observable<ScrapedMetrics> {
  return defer(() => from(probe.write(format).then((text) => new ScrapedMetrics(format, text))))
}

/** What is known only inside of libp2p's services. */
function readServices({ services }: Libp2p, probe: MetricsProbe): void {
  const { meters: m } = probe
  const { kad, gossipsub } = services as {
    readonly kad?: { readonly routingTable?: { readonly size: number } }
    readonly gossipsub?: { readonly mesh?: ReadonlyMap<string, ReadonlySet<string>> }
  }
  if (kad?.routingTable !== undefined) {
    const { routingTable } = kad
    probe.read('routing table', () => void (m.rxswarm_kad_routing_table_peers.at().value = routingTable.size))
  }
  if (gossipsub?.mesh !== undefined) {
    const { mesh } = gossipsub
    probe.read('mesh', () => {
      m.rxswarm_gossip_mesh_peers.clear()
      for (const [topic, peers] of mesh) m.rxswarm_gossip_mesh_peers.at(topic).value += peers.size
    })
  }
}
