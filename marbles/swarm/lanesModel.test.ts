import fc from 'fast-check'
import {
  command,
  perform,
  type BehaviourModule,
  type Command,
  type CommandMeta,
  type Fact,
  type Priority,
} from 'rxswarm'
import { fakeSwarm, inVirtualTime } from 'rxswarm/testing'
import { mergeMap, delay, NEVER, Observable, of, throwError, timer, type Subscription } from 'rxjs'
import { it, expect } from 'vitest'

type Kind = 'sync' | 'async' | 'fails' | 'throws' | 'never'
type Asked<Type extends string> = Command<Type, { readonly name: string; readonly kind: Kind }, string>
type Work = Asked<'model/work'> | Asked<'model/watch'>
type Done = { readonly type: 'model:done'; readonly name: string; readonly cause?: string }

/** What is done in a moment. */
type Step =
  | {
      readonly type: 'send'
      readonly kind: Kind
      readonly meta: CommandMeta
      readonly chain: 'pass' | 'late' | 'twice' | 'drop'
      readonly openEnded: boolean
      readonly follows: boolean
    }
  | { readonly type: 'cancel'; readonly at: number; readonly when: 'now' | 'at the next outcome' }
  | { readonly type: 'crash' }
  | { readonly type: 'wait'; readonly ms: number }

const LIMITS = { intake: 12, running: 4, openEnded: 2 }

/** What a behaviour sees of the works that it is given: what breaks a promise of the lanes is a problem. */
class Floor {
  readonly running = new Map<string, string>()
  readonly started: string[] = []
  readonly problems: string[] = []
  readonly over = new Set<string>()
  crash: (() => void) | undefined
  /** Whether commands start when they are admitted: never while it is down. */
  readonly isSteady: boolean

  constructor(isSteady: boolean) {
    this.isSteady = isSteady
  }

  enter(id: string, principal: string, priority: string): void {
    if (this.started.includes(id)) this.problems.push(`${id} is started twice`)
    if (this.over.has(id)) this.problems.push(`${id} is started after its outcome`)
    const mine = [...this.running.values()].filter((other) => other === principal).length
    const free = LIMITS.running - this.running.size
    if (free <= 0) this.problems.push(`${id} is one too many`)
    if (this.isSteady && priority !== 'control' && mine >= free)
      this.problems.push(`${id} is above the share of ${principal}`)
    this.started.push(id)
    this.running.set(id, principal)
  }

  mayNotWait(id: string, { principal = '', priority }: CommandMeta): void {
    const free = LIMITS.running - this.running.size
    const mine = [...this.running.values()].filter((other) => other === principal).length
    if (priority === 'control' ? free > 0 : mine < free) this.problems.push(`${id} waits, and could run`)
  }
}

function moduleOf(floor: Floor): BehaviourModule<'model', Work, Done, object> {
  return {
    name: 'model',
    commands: {
      'model/work': { answers: { 'model:done': ({ name }) => name } },
      'model/watch': { openEnded: true, answers: { 'model:done': ({ name }) => name } },
    },
    ports: () => ({}),
    behaviour: ({ command$, cancel$, scheduler }) =>
      new Observable((out) => {
        floor.crash = () => out.error('crash')
        return command$
          .pipe(
            perform(
              cancel$,
              ({ id, type, kind, meta }) =>
                new Observable<number>((work) => {
                  if (type === 'model/work') {
                    floor.enter(id, meta?.principal ?? '', meta?.priority ?? 'normal')
                    work.add(() => floor.running.delete(id))
                  }
                  if (kind === 'throws') throw new Error('thrown')
                  const what = {
                    sync: of(1),
                    async: timer(3, scheduler),
                    fails: throwError(() => 'failed'),
                    never: NEVER,
                  }[kind]
                  work.add(what.subscribe(work))
                }),
              (_, { name }): Done => ({ type: 'model:done', name }),
            ),
          )
          .subscribe(out)
      }),
  }
}

const meta = fc.record(
  {
    priority: fc.constantFrom<Priority>('control', 'normal', 'bulk'),
    principal: fc.constantFrom('a', 'b', 'c', 'model'),
    deadlineMs: fc.constantFrom(2, 10, 200),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<CommandMeta>
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      kind: fc.constantFrom<Kind>('sync', 'async', 'async', 'fails', 'throws', 'never'),
      meta,
      chain: fc.constantFrom('pass', 'pass', 'pass', 'late', 'twice', 'drop'),
      openEnded: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
      follows: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('cancel' as const),
      at: fc.nat(60),
      when: fc.constantFrom('now', 'at the next outcome'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'crash' as const }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 8 }) }) },
)

function play(steps: readonly Step[], drainMs: number): void {
  inVirtualTime(({ flush }) => {
    const floor = new Floor(!steps.some(({ type }) => type === 'crash'))
    const chains = new Map<string, string>()
    const swarm = fakeSwarm([moduleOf(floor)], {
      limits: LIMITS,
      commandChain: mergeMap((one) => {
        const chain = chains.get(one.id)
        if (chain === 'late') return of(one).pipe(delay(2))
        return chain === 'twice' ? of(one, one) : chain === 'drop' ? NEVER : of(one)
      }),
    })
    const asked: { readonly id: string; readonly meta: CommandMeta }[] = []
    const outcomes = new Map<string, string[]>()
    const sent: { readonly id: string; readonly subscription: Subscription }[] = []
    let atNext: (() => void)[] = []
    let lanes: readonly { readonly waiting: number }[] = []
    swarm.event$.subscribe((event: Fact) => {
      if (!event.type.startsWith('command:')) return
      floor.over.add(event.cause!)
      outcomes.set(event.cause!, [...(outcomes.get(event.cause!) ?? []), event.type])
      const now = atNext
      atNext = []
      for (const act of now) act()
    })
    const send = (one: Extract<Step, { type: 'send' }>, follows: boolean) => {
      const sending: Work = command(
        one.openEnded ? 'model/watch' : 'model/work',
        { name: 'n', kind: one.kind },
        one.meta,
      )
      chains.set(sending.id, one.chain)
      if (!one.openEnded && (one.chain === 'pass' || one.chain === 'twice'))
        asked.push({ id: sending.id, meta: one.meta })
      const again = () => follows && send(one, false)
      const subscription = swarm.execute(sending).subscribe({ error: again, complete: again })
      sent.push({ id: sending.id, subscription })
    }
    const waiting = () => asked.filter(({ id }) => !floor.over.has(id) && !floor.started.includes(id))
    let at = 0
    for (const one of steps) {
      if (one.type === 'wait') at += one.ms
      timer(at).subscribe(() => {
        if (one.type === 'send') send(one, one.follows)
        if (one.type === 'crash') floor.crash?.()
        if (one.type === 'cancel') {
          const leave = () => sent[one.at % Math.max(1, sent.length)]?.subscription.unsubscribe()
          if (one.when === 'now') leave()
          else atNext.push(leave)
        }
      })
    }
    if (floor.isSteady) {
      const look = () => {
        for (const { id, meta } of waiting()) floor.mayNotWait(id, meta)
      }
      for (let ms = 0.5; ms < at + drainMs; ms++) timer(ms).subscribe(look)
    }
    timer(at + drainMs).subscribe(() => swarm.drain(1_000).subscribe())
    timer(at + drainMs + 2_000).subscribe(() => {
      swarm.lanes$.subscribe((report) => (lanes = report)).unsubscribe()
      swarm.close([])
    })
    flush()
    for (const { id } of sent) {
      const told = outcomes.get(id) ?? []
      if (told.length !== 1) floor.problems.push(`${id} has ${told.length} outcomes: ${told.join(', ')}`)
    }
    expect(floor.problems).toEqual([])
    expect([...floor.running.keys()]).toEqual([])
    expect(lanes.map(({ waiting }) => waiting)).toEqual([0, 0, 0])
  })
}

it('gives each command one outcome, starts it at most once and no later than it may, and keeps every share, whatever comes', () => {
  fc.assert(fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), fc.constantFrom(0, 1, 5, 400), play), {
    numRuns: 100,
    seed: 1,
  })
})
