import { command, NotFoundError, perform, type Behaviour, type BehaviourModule, type Command } from 'rxswarm'
import { defer, of, throwError } from 'rxjs'
import { explore, faults, simulate, type FaultSchedule } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'

type Keep = Command<'memory/keep', { readonly text: string }>
type Recall = Command<'memory/recall', { readonly text: string }, string>
interface Told {
  readonly type: 'memory:told'
  readonly text: string
  readonly cause?: string
}

/** Planted: it keeps what it was given in memory, and nowhere else. */
const forgetful: Behaviour<Keep | Recall, Told, undefined> = ({ command$, cancel$ }) =>
  defer(() => {
    const kept = new Set<string>()
    return command$.pipe(
      perform(
        cancel$,
        ({ type, text }) => {
          if (type === 'memory/keep') kept.add(text)
          return kept.has(text) ? of(text) : throwError(() => new NotFoundError(`${text} is forgotten`))
        },
        (text): Told => ({ type: 'memory:told', text }),
      ),
    )
  })

const memory = (): BehaviourModule<'memory', Keep | Recall, Told, undefined> => ({
  name: 'memory',
  commands: { 'memory/keep': { answers: {} }, 'memory/recall': { answers: { 'memory:told': ({ text }) => text } } },
  ports: () => undefined,
  behaviour: forgetful,
})
const keep = (text: string): Keep => command('memory/keep', { text })
const recall = (text: string): Recall => command('memory/recall', { text })

const network = (schedule: FaultSchedule, seed: number) =>
  simulate({
    seed,
    nodes: 3,
    faults: schedule,
    log: false,
    use: () => [memory()] as const,
    ports: { memory: () => undefined },
  })

const remembers = (of: ReturnType<typeof network>) => {
  of.node('n1').command$.next(keep('it'))
  of.advance(10_000)
  if (of.node('n1').state().phase === 'stopped') of.node('n1').restart()
  expect(of.until(of.node('n1').execute(recall('it')))).toBe('it')
}

const failure = async (work: Promise<void>): Promise<Error> =>
  work.then(
    () => new Error('it held'),
    (error: Error) => error,
  )

describe('explore', () => {
  it('finds a schedule under which something does not hold, and makes it as small as it gets', async () => {
    const { message, cause } = await failure(explore({ network, holds: remembers, frames: 10 }))
    expect(message).toContain('does not hold under 1 fault')
    expect(message).toMatch(
      /simulate\(\{ seed: \d+, …, faults: faults\('[cr]', \{ [cr]: \{ type: '(crash|restart)', node: 'n1' \} \}, \{ frameMs: 1000 \}\) \}\)/,
    )
    expect((cause as Error).name).toBe('NotFoundError')
    expect(message).toContain('it is forgotten')
  })
  it('finds the same for the same seed', async () => {
    const [one, two] = [
      await failure(explore({ network, holds: remembers })),
      await failure(explore({ network, holds: remembers })),
    ]
    expect(one.message).toBe(two.message)
  })
  it('gives what it found as code that fails in the same way', () => {
    const pasted = faults('-c', { c: { type: 'crash', node: 'n1' } }, { frameMs: 1_000 })
    expect(() => remembers(network(pasted, 1))).toThrow('it is forgotten')
  })
  it('is content when everything holds', async () => {
    let runs = 0
    await explore({
      network,
      runs: 25,
      holds: async (of) => {
        runs++
        await of.settle(1_000)
      },
    })
    expect(runs).toBe(25)
  })
  it('says what is wrong with its options', async () => {
    const bad = { network, holds: () => undefined, runs: 0, faults: ['flood'] }
    const { message } = await failure(explore(bad as never))
    expect(message).toContain('explore.runs: must be above 0')
    expect(message).toContain('explore.faults[0]: must be one of partition, heal')
  })
})
