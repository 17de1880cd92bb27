import { Observable } from 'rxjs'
import { command, ofType, perform, type BehaviourModule, type Command } from 'rxswarm'

/** Asks a worker to pass a number through its port. */
export type Work = Command<`${string}/work`, { readonly value: number }, number>

/** What a worker says. */
export interface Worked {
  readonly type: `${string}:worked`
  readonly value: number
  readonly cause?: string
}

/** What a worker may call. */
export interface WorkerPorts {
  /** Gives the number back. */
  work(value: number): Observable<number>
}

/** A behaviour as a user writes it: one command, one port, one event; their types are constants. */
export function worker(name: string): BehaviourModule<string, Work, Worked, WorkerPorts> {
  const [asked, said] = typesOf(name)
  return {
    name,
    commands: { [asked]: { answers: { [said]: ({ value }: Worked) => value } } },
    ports: () => {
      throw new Error('a worker runs on fake ports only')
    },
    behaviour: ({ command$, cancel$, ports }) =>
      command$.pipe(
        ofType(asked),
        perform(
          cancel$,
          ({ value }) => ports.work(value),
          (value): Worked => ({ type: said, value }),
        ),
      ),
  }
}

/** What a worker is asked, and what it says. */
export const typesOf = (name: string): readonly [asked: Work['type'], said: Worked['type']] => [
  `${name}/work`,
  `${name}:worked`,
]

/** A command for the worker that is asked by this type. */
export const work = (type: Work['type'], value: number): Work => command(type, { value })
