import { connections, createSwarm, gossipsub, identify, kad, ping, type ConfigError } from 'rxswarm'
import { describe, expect, it } from 'vitest'

const problemsOf = async (options: unknown) => {
  const error = await createSwarm(options as never).then(
    () => undefined,
    (thrown: ConfigError) => thrown,
  )
  expect(error?.name).toBe('ConfigError')
  return error?.problems.map(({ path, message }) => `${path}: ${message}`)
}

describe('createSwarm', () => {
  it('reports every problem of its options at once, by the path of the field', async () => {
    const problems = await problemsOf({
      use: [connections(), connections(), kad, kad({ mode: 'boss' as never }), gossipsub({ maxMessageBytes: -1 })],
      transports: ['carrier-pigeon'],
      listen: ['/ip4/127.0.0.1/tcp', 7],
      deadlineMs: 0,
      limits: { intake: 0.5, colour: 'red' },
      scheduler: {},
      random: 4,
      maxConections: 5,
    })
    expect(problems).toEqual([
      'use[2]: must be a behaviour module; call its factory: kad(), not kad',
      'transports[0]: must be quic, tcp or memory',
      'listen[0]: "/ip4/127.0.0.1/tcp" is not a multiaddr: Component tcp was missing value',
      'listen[1]: must be a multiaddr as text',
      'deadlineMs: must be above 0',
      'limits.intake: must be a whole number',
      'limits.colour: is not an option',
      'scheduler: must be an RxJS scheduler',
      'random: must be a function',
      'maxConections: is not an option',
      'use[1].name: connections is in use already; use each behaviour once',
      'use[3]: kad needs identify; add it to use',
      'use[3]: kad needs ping; add it to use',
      'use[3]: kad.mode: must be server, client or auto',
      'use[4]: gossipsub needs identify; add it to use',
      'use[4]: gossipsub.maxMessageBytes: must be above 0',
    ])
  })
  it.each([undefined, null, 7, 'use', []])('refuses %j', async (options) => {
    expect((await problemsOf(options))?.length).toBe(1)
  })
  it('refuses deadlines that are no time', async () => {
    for (const deadlineMs of [Number.NaN, Infinity, -1, '5']) {
      expect(await problemsOf({ use: [], deadlineMs })).toHaveLength(1)
    }
  })
  it('refuses a behaviour whose name is a part of the state, or whose commands another one answers', async () => {
    const twin = { ...ping(), name: 'twin' }
    expect(await problemsOf({ use: [ping(), twin, { ...identify(), name: 'peers' }] })).toEqual([
      'use[1].commands: ping/once is answered by another behaviour already',
      'use[1].commands: ping/watch is answered by another behaviour already',
      "use[2].name: peers is a part of the swarm's own state; choose another name",
    ])
  })
})
