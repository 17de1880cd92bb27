import type { Fact, Outcome, Stamped } from './vocabulary/event.ts'

/** Whether a fact is how a command ended. */
export function isOutcome(fact: Fact): fact is Outcome & Stamped<Fact> {
  const { type } = fact
  return type === 'command:completed' || type === 'command:failed' || type === 'command:cancelled'
}

/** A fact with its time. The commonest one is copied field by field, which is quicker than by spreading. */
export function stamp(fact: Fact, at: number): Stamped<Fact> {
  if (fact.type !== 'command:completed') return { ...fact, at }
  const { type, cause, command } = fact as Outcome & { type: 'command:completed' }
  return { type, cause, command, at } as Stamped<Fact>
}

/** The fact itself. @errors `TypeError` for what is none, which is a crash of the behaviour that said it */
export function checkFact(fact: Fact): Fact {
  if (typeof (fact as Fact | null | undefined)?.type === 'string') return fact
  throw new TypeError(`a behaviour said something that is no event: ${typeof fact}`)
}
