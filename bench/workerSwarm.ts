import { fakeSwarm, type WiredSwarm } from 'rxswarm/testing'
import { worker, type WorkerPorts } from './worker.ts'

/** A swarm without a network, and the names of its workers. */
export interface WorkerSwarm {
  readonly swarm: WiredSwarm
  readonly names: readonly string[]
}

/** The whole pipeline with so many workers, which share one port. */
export function workerSwarm(workers: number, port: WorkerPorts): WorkerSwarm {
  const names = Array.from({ length: workers }, (_, index) => `worker${index}`)
  const ports = Object.fromEntries(names.map((name) => [name, port]))
  return { swarm: fakeSwarm(names.map(worker), { ports }), names }
}
