import { backoff as schema, backoffOf, type BackoffFactory, type BackoffSpec } from '../../../policies/backoff.ts'

/** The backoff that plain data means; it has been looked at before. */
export function backoffFor(spec: BackoffSpec, random: () => number): BackoffFactory {
  return backoffOf(schema.parse(spec), random)
}
