import { catchError, defer, from, map, of, throwError, timeout, type Observable } from 'rxjs'
import { InvalidRecordError } from '../../../errors/errors.ts'

/** What makes a record of a namespace valid, and which of several wins. */
export interface RecordRule {
  /**
   * Throws, rejects or returns false when the record is not valid. Runs on own and on foreign records, so every byte is
   * hostile.
   */
  validate(key: string, value: Uint8Array): boolean | void | Promise<boolean | void>
  /** Index of the best of several valid values. Default: the first, which suits records that never change. */
  select?(key: string, values: readonly Uint8Array[]): number | Promise<number>
}

/** How long a rule may take to answer. @unit milliseconds */
const RULE_MS = 1_000

/** Rules by namespace: those of `news` hold for `/news/…`. */
export type RecordRules = Readonly<Record<string, RecordRule>>

/** The rule of a key. @errors `InvalidRecordError` for a key without a namespace, or one that has no rule */
export function ruleOf(rules: RecordRules, key: unknown): RecordRule {
  const [empty, namespace, ...rest] = typeof key === 'string' ? key.split('/') : []
  if (empty !== '' || !namespace || rest.join('/') === '') {
    throw new InvalidRecordError(`key: must be /namespace/name, not ${JSON.stringify(key)}`, { field: 'key' })
  }
  const rule = Object.hasOwn(rules, namespace) ? rules[namespace] : undefined
  if (rule !== undefined) return rule
  const message = `${String(key)}: namespace ${namespace} has no rule; add it to kad({ records: { ${namespace}: … } })`
  throw new InvalidRecordError(message, { field: 'key', key: String(key) })
}

/**
 * Emits once when the record is valid, at once when its rule answers at once.
 *
 * @errors `InvalidRecordError` with what the rule threw as its cause
 */
export function validateRecord(rules: RecordRules, key: string, value: Uint8Array, maxBytes: number): Observable<true> {
  const invalid = (why: string, cause?: unknown) =>
    new InvalidRecordError(`${key}: ${why}`, { key, field: 'value', cause })
  return defer(() => {
    const rule = ruleOf(rules, key)
    if (value.byteLength > maxBytes) throw invalid(`value has ${value.byteLength} bytes, more than ${maxBytes}`)
    return answerOf(() => rule.validate(key, value)).pipe(
      catchError((cause: unknown) =>
        throwError(() => invalid(`the rule of its namespace refuses it: ${String(cause)}`, cause)),
      ),
      map((valid) => {
        if (valid === false) throw invalid('the rule of its namespace refuses it')
        return true as const
      }),
    )
  })
}

/**
 * Emits the index of the best value, at once when the rule answers at once.
 *
 * @errors `InvalidRecordError` when the rule throws or names no value
 */
export function selectRecord(rules: RecordRules, key: string, values: readonly Uint8Array[]): Observable<number> {
  const bad = (why: unknown, cause?: unknown) =>
    new InvalidRecordError(`${key}: select of its namespace names none of ${values.length} values: ${String(why)}`, {
      key,
      cause,
    })
  return defer(() => {
    const rule = ruleOf(rules, key)
    return answerOf(() => rule.select?.(key, values) ?? 0).pipe(
      catchError((cause: unknown) => throwError(() => bad(cause, cause))),
      map((best) => {
        if (Number.isInteger(best) && values[best] !== undefined) return best
        throw bad(best)
      }),
    )
  })
}

/** What a rule answers, now or by promise; it may take {@link RULE_MS}. */
function answerOf<T>(ask: () => T | Promise<T>): Observable<T> {
  return defer(() => {
    const answer = ask()
    if (!isThenable(answer)) return of(answer)
    return from(Promise.resolve(answer)).pipe(
      timeout({ first: RULE_MS, with: () => throwError(() => new Error(`no answer in ${RULE_MS} ms`)) }),
    )
  })
}

/** Any promise, also one of another library: taken for a plain answer it would be true. */
function isThenable<T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function'
}
