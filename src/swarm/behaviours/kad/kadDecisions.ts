import { map, of, type Observable } from 'rxjs'
import { DhtError, InvalidCommandError } from '../../../errors/errors.ts'
import type { Delivery, FoundRecord, KadFindProviders, KadPut, KadSetMode } from './kadCommands.ts'
import { ruleOf, selectRecord, type RecordRules } from './kadRules.ts'

/** The better of two records, by the rule of the namespace; the same object when the new one is not better. */
export function better(
  rules: RecordRules,
  key: string,
  best: FoundRecord | undefined,
  found: FoundRecord,
): Observable<FoundRecord> {
  if (best === undefined) return of(found)
  return selectRecord(rules, key, [best.value, found.value]).pipe(map((index) => (index === 0 ? best : found)))
}

/** Peers that took it. @errors `DhtError` when none did */
export function reached(deliveries: readonly Delivery[], what: string): readonly string[] {
  const peers = deliveries.filter(({ error }) => error === undefined).map(({ peer }) => peer)
  if (peers.length > 0) return peers
  const errors = deliveries.flatMap(({ error }) => (error === undefined ? [] : [error]))
  const why = errors.length === 0 ? 'no peer was close enough to ask' : `${errors.length} peers failed or refused`
  throw new DhtError(`${what}: it reached no other peer: ${why}`, { key: what, cause: new AggregateError(errors, why) })
}

/** @errors `InvalidRecordError`, `InvalidCommandError` */
export function checkRecord({ key, value }: KadPut, records: RecordRules): void {
  ruleOf(records, key)
  if (value instanceof Uint8Array) return
  throw new InvalidCommandError(`value: must be a Uint8Array, not ${typeof value}`, { field: 'value', key })
}

/** @errors `InvalidCommandError` */
export function checkKey(key: unknown): void {
  if (typeof key === 'string' && key !== '') return
  throw new InvalidCommandError('key: must be text that is not empty', { field: 'key' })
}

/** @errors `InvalidCommandError` */
export function checkMax({ max, cid }: KadFindProviders): void {
  if (Number.isInteger(max) && max > 0) return
  throw new InvalidCommandError(`max: must be a whole number above 0, not ${String(max)}`, { field: 'max', key: cid })
}

/** @errors `InvalidCommandError` */
export function checkMode({ mode }: KadSetMode): void {
  if (mode === 'server' || mode === 'client' || mode === 'auto') return
  throw new InvalidCommandError(`mode: must be server, client or auto, not ${String(mode)}`, { field: 'mode' })
}
