import { command, perform, type Behaviour, type BehaviourModule, type Command } from 'rxswarm'
import { Observable } from 'rxjs'
import type { SimulatedNode } from 'rxswarm/testing'

type Echo = Command<'echo/say', { readonly to: string; readonly text: string }, string>
interface Heard {
  readonly type: 'echo:heard'
  readonly text: string
  readonly cause?: string
}
interface EchoPorts {
  say(to: string, text: string): Observable<string>
}

/** The protocol of the tests' own behaviour. */
export const ECHO = '/echo/1.0.0'

const behaviour: Behaviour<Echo, Heard, EchoPorts> = ({ command$, cancel$, ports }) =>
  command$.pipe(
    perform(
      cancel$,
      ({ to, text }) => ports.say(to, text),
      (text): Heard => ({ type: 'echo:heard', text }),
    ),
  )

function module(): BehaviourModule<'echo', Echo, Heard, EchoPorts> {
  return {
    name: 'echo',
    commands: { 'echo/say': { answers: { 'echo:heard': ({ text }) => text } } },
    ports: () => {
      throw new Error('the tests run it on a simulated network')
    },
    behaviour,
  }
}

/** A behaviour that sends a text and gives back what comes back. */
export const echo = Object.assign(module, {
  say: (to: string, text = 'hello'): Echo => command('echo/say', { to, text }),
})

/** Its ports on a simulated node. */
export function echoPorts(node: SimulatedNode): EchoPorts {
  node.handle(ECHO, (stream) => {
    stream.chunk$.subscribe({
      next: (bytes) => stream.send(bytes),
      error: () => undefined,
      complete: () => stream.end(),
    })
  })
  return {
    say: (to, text) =>
      new Observable((out) => {
        const heard: Uint8Array[] = []
        const opening = node.dial(to.startsWith('/') ? to : `/sim/${to}/1/p2p/${to}`).subscribe({
          error: (error: unknown) => out.error(error),
          next: (connection) =>
            out.add(
              connection.open(ECHO).subscribe({
                error: (error: unknown) => out.error(error),
                next: (stream) => {
                  stream.chunk$.subscribe({
                    next: (bytes) => heard.push(bytes),
                    error: (error: unknown) => out.error(error),
                    complete: () => {
                      out.next(Buffer.concat(heard).toString())
                      out.complete()
                    },
                  })
                  stream.send(Buffer.from(text))
                  stream.end()
                },
              }),
            ),
        })
        out.add(opening)
      }),
  }
}

/** What the tests give to `simulate`. */
export const withEcho = { use: () => [echo()] as const, ports: { echo: echoPorts as (node: SimulatedNode) => unknown } }
