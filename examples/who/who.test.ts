import { fakeSwarm, fakeWires, marbles, obeysBehaviourLaws } from 'rxswarm/testing'
import { catchError, NEVER, of } from 'rxjs'
import { describe } from 'vitest'
import { who, whoBehaviour } from './who.ts'

describe('who', () => {
  const ask = who.ask({ peer: 'p' })
  obeysBehaviourLaws(whoBehaviour, [ask])

  marbles('says the nick of a peer, then that the command is done', ({ cold, hot, expectObservable }) => {
    const command$ = hot(' -a------', { a: ask })
    const port = '          ---n|'
    const expected = '     ----sd--'
    const ports = { ask: () => cold(port, { n: 'bob' }), asked$: NEVER }
    expectObservable(whoBehaviour(fakeWires({ command$, ports }))).toBe(expected, {
      s: { type: 'who:answered', peer: 'p', nick: 'bob', cause: ask.id },
      d: { type: 'command:completed', command: 'who/ask', cause: ask.id },
    })
  })
  marbles('settles within the deadline, also when the peer is silent', ({ expectObservable }) => {
    const ports = { who: { ask: () => NEVER, asked$: NEVER } }
    const swarm = fakeSwarm([who('me')], { ports, deadlineMs: 50 })
    const outcome$ = swarm.execute(ask).pipe(catchError(({ name }: Error) => of(name)))
    expectObservable(outcome$).toBe('50ms (e|)', { e: 'DeadlineError' })
  })
})
