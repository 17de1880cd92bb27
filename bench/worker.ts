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

/** A behaviour as a user writes it: one command, one port, one event. */
export function worker(name: string): BehaviourModule<string, Work, Worked, WorkerPorts> {
  return {
    name,
    commands: { [`${name}/work`]: { answers: { [`${name}:worked`]: ({ value }: Worked) => value } } },
    ports: () => {
      throw new Error('a worker runs on fake ports only')
    },
    behaviour: ({ command$, cancel$, ports }) =>
      command$.pipe(
        ofType(`${name}/work`),
        perform(
          cancel$,
          ({ value }) => ports.work(value),
          (value): Worked => ({ type: `${name}:worked`, value }),
        ),
      ),
  }
}

/** A command for the worker of that name. */
export const work = (name: string, value: number): Work => command(`${name}/work`, { value })
