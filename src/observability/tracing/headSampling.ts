import {
  createContextKey,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
  type TracerProvider,
} from '@opentelemetry/api'
import type { TraceContext } from '../../swarm/vocabulary/command.ts'

const SAMPLED = createContextKey('rxswarm.sampled')

/** A context without a span, of which it is decided already that its trace is recorded. */
export const SAMPLED_ROOT = ROOT_CONTEXT.setValue(SAMPLED, true)

/** What is active in work of which it is decided that its trace is not recorded: what it starts is not either. */
export const UNSAMPLED_ROOT = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: 'ffffffffffffffffffffffffffffffff',
  spanId: 'ffffffffffffffff',
  traceFlags: TraceFlags.NONE,
})

/** Whether a root sampler finds that its decision was made. */
export function isSampledAlready(context: Context): boolean {
  return context.getValue(SAMPLED) === true
}

const ratios = new WeakMap<TracerProvider, number>()

/** Notes which share of what has no parent a provider records, so that the others need not be made spans of first. */
export function noteSampleRatio(provider: TracerProvider, ratio: number): void {
  ratios.set(provider, ratio)
}

/** Which share of what has no parent a provider records, if that was noted; else 1: it is asked about each. */
export function sampleRatioOf(provider: TracerProvider): number {
  return ratios.get(provider) ?? 1
}

/** Chance for what is sampled: quick, and from one draw. @unit 0 (inclusive) to 1 (exclusive) @source xorshift32, Marsaglia 2003 */
export function quickChance(draw: number): () => number {
  let state = (Math.floor(draw * 0xffff_fffe) + 1) | 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 0x1_0000_0000
  }
}

/** What others are told of a trace that is not recorded: a name of its own, and that. */
export function unsampledTrace(chance: () => number): TraceContext {
  const digits = () => (Math.floor(chance() * 0xffff_ffff) + 1).toString(16).padStart(8, '0').slice(-8)
  return { traceparent: `00-${digits()}${digits()}${digits()}${digits()}-${digits()}${digits()}-00` }
}
