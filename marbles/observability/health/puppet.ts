import { perform, UnexpectedError, type AnyCommand, type AnyModule, type Fact } from 'rxswarm'
import { EMPTY, isObservable, map, merge, of, Subject, takeWhile, type Observable } from 'rxjs'

/** What a puppet does at a command: says something, or gives a stream of its own; nothing else completes it. */
export type Answers = Readonly<Record<string, Fact | Observable<Fact> | undefined>>

/**
 * A module that says what it is told to, notes what it is asked, and has its part of the state set by `<name>:set`.
 * `crash` and `end` are what they say.
 */
export function puppet(
  name: string,
  { answers = {}, state, options }: { answers?: Answers; state?: unknown; options?: unknown } = {},
) {
  const say$ = new Subject<Fact>()
  const asked: string[] = []
  let lives = 0
  const module: AnyModule = {
    name,
    commands: Object.fromEntries(
      Object.entries(answers).map(([type, answer]) => [
        type,
        {
          openEnded: isObservable(answer),
          answers:
            isObservable(answer) || answer === undefined
              ? { [`${name}:answered`]: (fact) => fact }
              : { [answer.type]: (fact) => fact },
        },
      ]),
    ),
    ...(state === undefined
      ? {}
      : {
          state: { initial: state, on: { [`${name}:set`]: (_: unknown, event: { readonly to: unknown }) => event.to } },
        }),
    options,
    ports: () => undefined,
    behaviour: ({
      command$,
      cancel$,
    }: {
      readonly command$: Observable<AnyCommand>
      readonly cancel$: Observable<string>
    }) => {
      lives++
      const work = (sent: AnyCommand): Observable<Fact> => {
        const { to, peer, relay, source, on } = sent as AnyCommand &
          Readonly<Record<string, string | boolean | undefined>>
        asked.push([sent.type, to ?? peer ?? relay ?? source, on].filter((part) => part !== undefined).join(' '))
        const answer = answers[sent.type]
        return isObservable(answer) ? answer : answer === undefined ? EMPTY : of(answer)
      }
      return merge(
        command$.pipe(perform(cancel$, work, (fact) => fact)),
        say$.pipe(
          map((fact) => {
            if (fact.type === 'crash') throw new UnexpectedError('mine')
            return fact
          }),
        ),
      ).pipe(takeWhile(({ type }) => type !== 'end'))
    },
  }
  return {
    module,
    asked,
    get lives() {
      return lives
    },
    say: (type: string, more: object = {}) => say$.next({ type, ...more }),
    set: (to: unknown) => say$.next({ type: `${name}:set`, to } as Fact),
  }
}
