import { applyMiddleware, createStore, type AnyAction } from 'redux'
import { combineEpics, createEpicMiddleware, ofType, type Epic } from 'redux-observable'
import { map, mergeMap, of } from 'rxjs'
import { compare, type Bench } from './compare.ts'
import { interleave, type Measure } from './interleave.ts'
import { typesOf, work, type WorkerPorts } from './worker.ts'
import { workerSwarm } from './workerSwarm.ts'

/** A turn is long enough that what is measured is compiled code. @unit milliseconds */
const TURN_MS = 300
const BATCH = 1_000
const ROUNDS = 9
const WARM_UPS = 4
const unit = 'commands/s'
const port: WorkerPorts = { work: (value) => of(value) }

/** Sends commands of each of the types in turn, and measures how many a second were worked off. */
const rate =
  <Type>(types: readonly Type[], send: (type: Type, value: number) => void, worked: () => number): Measure =>
  () => {
    const before = worked()
    const start = performance.now()
    let sent = 0
    while (performance.now() - start < TURN_MS) {
      for (const end = sent + BATCH; sent < end; sent++) send(types[sent % types.length]!, sent)
    }
    const seconds = (performance.now() - start) / 1_000
    if (worked() - before !== sent) throw new Error(`${worked() - before} of ${sent} commands were worked off`)
    return sent / seconds
  }

/** `command$` → intake → ledger → routing → behaviour → port → `event$`. */
function ours(behaviours: number): Measure {
  const { swarm, names } = workerSwarm(behaviours, port)
  const types = names.map(typesOf)
  const said = new Set<string>(types.map(([, type]) => type))
  let worked = 0
  swarm.event$.subscribe(({ type }) => void (said.has(type) && worked++))
  return rate(
    types.map(([asked]) => asked),
    (type, value) => swarm.command$.next(work(type, value)),
    () => worked,
  )
}

/** The same work in as many epics: store → epics → port → store. */
function reduxObservable(epics: number): Measure {
  const types = Array.from({ length: epics }, (_, index) => typesOf(`worker${index}`))
  const epic =
    ([asked, said]: (typeof types)[number]): Epic<AnyAction> =>
    (action$) =>
      action$.pipe(
        ofType(asked),
        mergeMap(({ value }) => port.work(value as number).pipe(map((result) => ({ type: said, value: result })))),
      )
  const middleware = createEpicMiddleware<AnyAction>()
  const latest = (_: AnyAction | undefined, action: AnyAction) => action
  const store = createStore(latest, applyMiddleware(middleware))
  middleware.run(combineEpics(...types.map(epic)))
  const said = new Set<string>(types.map(([, type]) => type))
  let worked = 0
  store.subscribe(() => void (said.has(String(store.getState()?.type)) && worked++))
  return rate(
    types.map(([asked]) => asked),
    (type, value) => store.dispatch({ type, value }),
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
      const rates = await interleave(contestants, { rounds: ROUNDS, warmUps: WARM_UPS })
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
    const rates = await interleave({ many: ours(40), few: ours(2) }, { rounds: ROUNDS, warmUps: WARM_UPS })
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
