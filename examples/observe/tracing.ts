import { connections, createSwarm, identify, xstream } from 'rxswarm'
import { otlp, tracing } from 'rxswarm/observability'

await using telemetry = await otlp({ serviceName: 'shop', sampleRatio: 0.01 })
await using swarm = await createSwarm({ use: [connections(), identify(), xstream(), tracing()] })
telemetry.failed$.subscribe(({ spans, error }) => console.error(spans, error.message))
swarm.execute(xstream.accept()).subscribe((stream) => console.log(stream.peer))
