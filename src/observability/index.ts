export type { Page, Probe, Probed } from '../swarm/vocabulary/probe.ts'
export { tracing, type TracingOptions } from './tracing/tracing.ts'
