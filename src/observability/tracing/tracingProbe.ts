import type { TextMapPropagator } from '@opentelemetry/api'
import type { NodeEvent } from '../../swarm/vocabulary/event.ts'
import type { Probed } from '../../swarm/vocabulary/probe.ts'
import { CommandSpans } from './commandSpans.ts'
import type { TracerSource } from './tracerSource.ts'
import { WireSpans } from './wireSpans.ts'

/** What tracing watches a swarm with: its commands, and what other peers ask of its node. */
export class TracingProbe extends CommandSpans {
  /** What the adapters of the node follow their work with. */
  readonly wires: WireSpans

  constructor(probed: Probed, source: TracerSource, propagator: TextMapPropagator | undefined) {
    super(probed.event$, source, propagator)
    this.wires = new WireSpans(source, propagator, () => this.chance())
  }

  host(event: NodeEvent): void {
    if (event.type === 'stop') this.wires.stop()
  }
}
