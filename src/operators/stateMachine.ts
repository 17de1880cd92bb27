import { Observable, type Subscription } from 'rxjs'
import { inOrder } from './inOrder.ts'

/** What a machine does at an input. */
export interface Step<State, Effect, Said> {
  /** The new state; the same object when nothing changed. */
  readonly state: State
  /** What it says, in this order. Default: nothing. */
  readonly say?: readonly Said[]
  /** Work that it starts; what comes of it are inputs again. Default: none. */
  readonly run?: readonly Effect[]
  /** Keys of work that it ends, before it starts any. Default: none. */
  readonly stop?: readonly string[]
}

/** What a machine is made of. */
export interface Machine<State, Input, Effect, Said> {
  /** State before the first input. */
  readonly initial: State
  /** Decides: pure, and the only place where anything is decided. */
  readonly step: (state: State, input: Input) => Step<State, Effect, Said>
  /** Does the work of an effect; what it emits are inputs. */
  readonly perform: (effect: Effect) => Observable<Input>
  /** Names the work of an effect: a later one of that name takes its place. Default: nothing ends it early. */
  readonly keyOf?: (effect: Effect) => string | undefined
}

/** The source has completed. */
const END = Symbol('end')

/**
 * Runs a pure state machine: inputs come in, what it says goes out, and the work that it starts gives inputs again.
 *
 * ```marble
 * input$  -a-b-----|
 * work    ---r|
 * said    -s--d----|
 * ```
 *
 * @shape  Cold. One input at a time: an input that comes while another is being worked off waits for it. Said before the
 *         work is started. Completes with its source, and ends all work then; so does unsubscribing. Memory: the state, and
 *         one subscription for each work that runs.
 * @errors Those of the source, of `step`, and of the work: an expected failure is an input.
 * @source ours; The Elm Architecture's update and commands.
 */
export function stateMachine<State, Input, Effect, Said>({
  initial,
  step,
  perform,
  keyOf = () => undefined,
}: Machine<State, Input, Effect, Said>): (input$: Observable<Input>) => Observable<Said> {
  return (input$) =>
    new Observable((out) => {
      const named = new Map<string, Subscription>()
      let state = initial
      const feed = inOrder((input: Input | typeof END) => {
        if (out.closed) return
        if (input === END) return out.complete()
        const { state: next, say = [], run = [], stop = [] } = step(state, input)
        state = next
        for (const said of say) out.next(said)
        for (const key of stop) end(key)
        for (const effect of run) start(effect)
      })
      const tryFeed = (input: Input | typeof END) => {
        try {
          feed(input)
        } catch (error) {
          out.error(error)
        }
      }
      const end = (key: string) => {
        const work = named.get(key)
        named.delete(key)
        work?.unsubscribe()
      }
      const start = (effect: Effect) => {
        if (out.closed) return
        const key = keyOf(effect)
        if (key !== undefined) end(key)
        const work = perform(effect).subscribe({ next: tryFeed, error: (error: unknown) => out.error(error) })
        if (work.closed) return
        out.add(work)
        if (key !== undefined) named.set(key, work)
        work.add(() => {
          out.remove(work)
          if (key !== undefined && named.get(key) === work) named.delete(key)
        })
      }
      out.add(
        input$.subscribe({
          next: tryFeed,
          error: (error: unknown) => out.error(error),
          complete: () => tryFeed(END), // behind what was sent before it
        }),
      )
    })
}
