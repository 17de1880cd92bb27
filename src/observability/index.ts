export type { Page, Probe, Probed } from '../swarm/vocabulary/probe.ts'
export { tracing, type TracingOptions } from './tracing/tracing.ts'
export { otlp, type Otlp, type OtlpCounts, type OtlpFailure, type OtlpOptions } from './tracing/otlp.ts'
