import type { SwarmError } from '../../../errors/errors.ts'

const REFUSALS: ReadonlySet<string> = new Set(['AccessDeniedError', 'AuthenticationError'])

/** Whether a dial was refused as a whole: by a rule, or because somebody else answers at every address. */
export function isRefusal({ name, attempts = [] }: SwarmError): boolean {
  return REFUSALS.has(name) && attempts.every(({ error }) => REFUSALS.has(error.name))
}
