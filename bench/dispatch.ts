import { applyMiddleware, createStore, type AnyAction } from 'redux'
import { combineEpics, createEpicMiddleware, ofType, type Epic } from 'redux-observable'
import { map, mergeMap, of } from 'rxjs'
import { compare, type Bench } from './compare.ts'
import { interleave, type Measure } from './interleave.ts'
import { work, type WorkerPorts } from './worker.ts'
import { workerSwarm } from './workerSwarm.ts'

const COMMANDS = 20_000
const ROUNDS = 15
const unit = 'commands/s'
const port: WorkerPorts = { work: (value) => of(value) }

/** Sends commands to each of the names in turn, and measures how many a second were worked off. */
const rate =
  (names: readonly string[], send: (name: string, value: number) => void, worked: () => number): Measure =>
  () => {
    const before = worked()
    const start = performance.now()
    for (let index = 0; index < COMMANDS; index++) send(names[index % names.length] ?? '', index)
    const seconds = (performance.now() - start) / 1_000
    if (worked() - before !== COMMANDS) throw new Error(`${worked() - before} of ${COMMANDS} commands were worked off`)
    return COMMANDS / seconds
  }

/** `command$` → intake → ledger → routing → behaviour → port → `event$`. */
function ours(behaviours: number): Measure {
  const { swarm, names } = workerSwarm(behaviours, port)
  let worked = 0
  swarm.event$.subscribe((event) => void (event.type.endsWith(':worked') && worked++))
  return rate(
    names,
    (name, value) => swarm.command$.next(work(name, value)),
    () => worked,
  )
}

/** The same work in as many epics: store → epics → port → store. */
function reduxObservable(epics: number): Measure {
  const names = Array.from({ length: epics }, (_, index) => `worker${index}`)
  const epic =
    (name: string): Epic<AnyAction> =>
    (action$) =>
      action$.pipe(
        ofType(`${name}/work`),
        mergeMap(({ value }) =>
          port.work(value as number).pipe(map((result) => ({ type: `${name}:worked`, value: result }))),
        ),
      )
  const middleware = createEpicMiddleware<AnyAction>()
  const latest = (_: AnyAction | undefined, action: AnyAction) => action
  const store = createStore(latest, applyMiddleware(middleware))
  middleware.run(combineEpics(...names.map(epic)))
  let worked = 0
  store.subscribe(() => void (String(store.getState()?.type).endsWith(':worked') && worked++))
  return rate(
    names,
    (name, value) => store.dispatch({ type: `${name}/work`, value }),
    () => worked,
  )
}

/** Nothing but the port. */
function bare(): Measure {
  let worked = 0
  const hear = () => worked++
  return rate(
    [''],
    (_, value) => port.work(value).subscribe(hear),
    () => worked,
  )
}

function withBehaviours(behaviours: number): Bench {
  const name = `dispatch-${behaviours}`
  return {
    names: [name],
    run: async () => {
      const contestants = { ours: ours(behaviours), epics: reduxObservable(behaviours), bare: bare() }
      const rates = await interleave(contestants, { rounds: ROUNDS, warmUps: 5 })
      const about = { name, unit, better: 'more' } as const
      return [
        compare(rates.ours, rates.epics, { ...about, peerName: 'redux-observable' }),
        compare(rates.ours, rates.bare, { ...about, peerName: 'port call' }),
      ]
    },
  }
}

const flat: Bench = {
  names: ['dispatch-flat'],
  run: async () => {
    const rates = await interleave({ many: ours(40), few: ours(2) }, { rounds: ROUNDS, warmUps: 5 })
    return [compare(rates.many, rates.few, { name: 'dispatch-flat', unit, better: 'more', peerName: 'rxswarm with 2' })]
  },
}

/**
 * Commands through the whole chain, against as many epics of redux-observable and against the bare port call, with 2,
 * 10 and 40 behaviours; and rxswarm with 40 behaviours against itself with 2.
 *
 * @shape  All make their messages as they send them. The port answers at once, so every command is worked off before the
 *         next one is sent.
 */
export const dispatch: readonly Bench[] = [...[2, 10, 40].map(withBehaviours), flat]
