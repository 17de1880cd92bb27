import * as errors from '../../errors/errors.ts'
import type { ErrorContext, SwarmError } from '../../errors/errors.ts'

const NATIVE: Readonly<Record<string, ErrorConstructor>> = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  URIError,
}

type Fields = Readonly<Record<string, unknown>>

/**
 * An error of the class of that name, with its fields and causes; a class that is not rxswarm's or the language's becomes an
 * `Error` of that name.
 */
export function errorOf([name, message, fields, more]: readonly unknown[]): Error {
  const [context, own] = [record(fields), record(more)]
  const { code, errors: inner, cause, partial, bytes } = own
  const parts = { cause, partial, bytes, inner }
  const ours = swarmError(String(name), String(message), context, parts)
  const error =
    ours?.code === code && ours !== undefined ? ours : foreign(String(name), String(message), context, parts)
  if (error.name !== name) hide(error, 'name', String(name))
  if (code !== undefined && (error as { code?: unknown }).code !== code) hide(error, 'code', code, true)
  return error
}

/** One of rxswarm's own; others have names such as `NotFoundError` too, and other codes. */
function swarmError(name: string, message: string, fields: Fields, more: Fields): SwarmError | undefined {
  const { cause, partial, bytes } = more
  const context: ErrorContext = { ...fields, ...(cause === undefined ? {} : { cause }) }
  const cut = partial instanceof Uint8Array ? partial : undefined
  if (Object.hasOwn(SPECIAL, name))
    return SPECIAL[name as keyof typeof SPECIAL](message, context, { fields, cut, bytes })
  const Class = Object.hasOwn(errors, name) ? (errors as unknown as Readonly<Record<string, unknown>>)[name] : undefined
  if (typeof Class !== 'function' || !(Class.prototype instanceof errors.SwarmError)) return undefined
  type Make = new (message: string, context: ErrorContext, partial?: Uint8Array) => SwarmError
  return new (Class as Make)(message, context, cut)
}

function foreign(name: string, message: string, fields: Fields, { cause, inner }: Fields): Error {
  const because = cause === undefined ? {} : { cause }
  const Native = Object.hasOwn(NATIVE, name) ? NATIVE[name]! : Error
  const error = Array.isArray(inner) ? new AggregateError(inner, message, because) : new Native(message, because)
  for (const [key, field] of Object.entries(fields)) if (key !== '__proto__') hide(error, key, field, true)
  return error
}

interface Parts {
  readonly fields: Fields
  readonly cut: Uint8Array | undefined
  readonly bytes: unknown
}

/** Classes whose constructors take more than a context. Of their own fields, the context has no part. */
const SPECIAL = {
  ConfigError: (message: string, context: ErrorContext, { fields }: Parts) => {
    const rest = without(context, 'problems')
    const error = new errors.ConfigError(Array.isArray(fields['problems']) ? (fields['problems'] as []) : [], rest)
    hide(error, 'message', message)
    return error
  },
  RelayError: (message: string, context: ErrorContext, { fields }: Parts) => {
    const rest = without(context, 'status')
    return new errors.RelayError(message, rest, typeof fields['status'] === 'string' ? fields['status'] : undefined)
  },
  ChainError: (message: string, context: ErrorContext, { fields }: Parts) => {
    const rest = without(context, 'status')
    return new errors.ChainError(message, String(fields['status']), rest)
  },
  RendezvousError: (message: string, context: ErrorContext, { fields }: Parts) => {
    const rest = without(context, 'status')
    return new errors.RendezvousError(message, String(fields['status']), rest)
  },
  XStreamError: (message: string, context: ErrorContext, { fields, cut, bytes }: Parts) => {
    const rest = without(context, 'isCut')
    const said = { bytes: bytes instanceof Uint8Array ? bytes : new Uint8Array(), isCut: fields['isCut'] === true }
    return new errors.XStreamError(message, said, rest, cut)
  },
}

function without(context: ErrorContext, field: string): ErrorContext {
  return Object.fromEntries(Object.entries(context).filter(([name]) => name !== field))
}

function hide(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true })
}

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
