import { addresses, chains, discovery, gossipsub, keepAlive, relay, xauth, xstream } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { samplesOf, tellingSwarm } from './tellingSwarm.ts'

/** A swarm with the states of real behaviours; read at the real time. */
function counted() {
  const real = [addresses(), chains(), discovery(), gossipsub(), keepAlive(), relay(), xauth({}), xstream()]
  const { swarm, say, read } = tellingSwarm(real)
  /** Of one metric, what is not 0. */
  const gauge = async (name: string) => {
    const own = [...samplesOf(await read())].filter(([series]) => series.split('{')[0] === name)
    return Object.fromEntries(
      own.filter(([, value]) => value !== 0).map(([series, value]) => [series.slice(name.length), value]),
    )
  }
  return { say, gauge, swarm }
}

type Step = readonly [type: string, fields: object, expected: Record<string, number>]

const chain = { session: 's', peer: 'p', direction: 'inbound', path: [], connection: 'c' }
const connection = { id: 'c', peer: 'p', address: '', direction: 'inbound', since: 0, transport: 'tcp', direct: true }
const report = { connection: 'c', peer: 'p', owner: 'o', expiresAtS: 1, metadata: {} }

const courses: Readonly<Record<string, readonly Step[]>> = {
  rxswarm_connections: [
    ['connection:open', { connection }, { '{transport="tcp",direction="inbound",path="direct"}': 1 }],
    ['connection:close', { connection }, {}],
  ],
  rxswarm_peers: [
    ['connection:open', { connection }, { '': 1 }],
    ['connection:close', { connection }, {}],
  ],
  rxswarm_circuits: [
    ['policy:tripped', { policy: 'breaker', key: 'a', openMs: 60_000 }, { '{state="open",behaviour="none"}': 1 }],
    ['policy:tripped', { policy: 'breaker', key: 'b', openMs: 60_000 }, { '{state="open",behaviour="none"}': 2 }],
    [
      'policy:probed',
      { policy: 'breaker', key: 'a' },
      { '{state="open",behaviour="none"}': 1, '{state="half-open",behaviour="none"}': 1 },
    ],
    ['policy:recovered', { policy: 'breaker', key: 'a' }, { '{state="open",behaviour="none"}': 1 }],
    ['policy:recovered', { policy: 'breaker', key: 'b' }, {}],
  ],
  rxswarm_relay_reservations: [
    ['relay:reserved', { relay: 'r' }, { '': 1 }],
    ['relay:refreshed', { relay: 'r' }, { '': 1 }],
    ['relay:lost', { relay: 'r' }, {}],
    ['relay:reserved', { relay: 'r' }, { '': 1 }],
    ['relay:released', { relay: 'r' }, {}],
  ],
  rxswarm_relay_candidates: [
    ['relay:found', { relay: 'r', addresses: [] }, { '': 1 }],
    ['relay:forgotten', { relay: 'r' }, {}],
  ],
  rxswarm_relay_served_reservations: [
    ['relay:accepted', { peer: 'p' }, { '': 1 }],
    ['relay:renewed', { peer: 'p' }, { '': 1 }],
    ['relay:ended', { peer: 'p' }, {}],
  ],
  rxswarm_relay_served_circuits: [
    ['relay:circuit-opened', {}, { '': 1 }],
    ['relay:circuit-closed', { bytes: 1, ms: 1 }, {}],
  ],
  rxswarm_chains: [
    ['chain:accepted', chain, { '{direction="inbound"}': 1 }],
    ['chain:failed-over', { ...chain, downMs: 1 }, { '{direction="inbound"}': 1 }],
    ['chain:closed', { ...chain, bytes: 1 }, {}],
  ],
  rxswarm_xstreams: [
    ['xstream:opened', {}, { '{direction="outbound"}': 1 }],
    ['xstream:closed', { direction: 'outbound' }, {}],
    ['xstream:accepted', {}, { '{direction="inbound"}': 1 }],
    ['xstream:closed', { direction: 'inbound' }, {}],
  ],
  rxswarm_xauth_authenticated: [
    ['xauth:authenticated', report, { '': 1 }],
    ['xauth:failed', { ...report, direction: 'inbound', reason: 'timeout', ended: false }, { '': 1 }],
    ['xauth:failed', { ...report, direction: 'inbound', reason: 'timeout', ended: true }, {}],
    ['xauth:authenticated', report, { '': 1 }],
    ['connection:close', { connection }, {}],
  ],
  rxswarm_keep_alive_peers: [
    ['keep-alive:kept', { peer: 'p', tier: 'normal' }, { '{tier="normal",status="retrying"}': 1 }],
    ['keep-alive:connected', { peer: 'p', afterMs: 1 }, { '{tier="normal",status="connected"}': 1 }],
    ['keep-alive:paused', { peer: 'p' }, { '{tier="normal",status="paused"}': 1 }],
    ['keep-alive:forgotten', { peer: 'p' }, {}],
  ],
  rxswarm_network_isolated: [
    ['network:isolated', { sinceMs: 1 }, { '': 1 }],
    ['network:recovered', { peer: 'p', afterMs: 1 }, {}],
  ],
  rxswarm_discovery_known_peers: [
    ['peer:found', { peer: 'p', by: 'mdns' }, { '': 1 }],
    ['peer:forgotten', { peer: 'p', reason: 'gone' }, {}],
  ],
  rxswarm_gossip_topics: [
    ['gossipsub:joined', { topic: 'news' }, { '': 1 }],
    ['gossipsub:left', { topic: 'news' }, {}],
  ],
  rxswarm_gossip_topic_peers: [
    ['gossipsub:joined', { topic: 'news' }, {}],
    ['gossipsub:peer-joined', { topic: 'news', peer: 'p' }, { '{topic="news"}': 1 }],
    ['peer:disconnect', { peer: 'p' }, {}],
    ['gossipsub:peer-joined', { topic: 'news', peer: 'p' }, { '{topic="news"}': 1 }],
    ['gossipsub:left', { topic: 'news' }, {}],
  ],
  rxswarm_address_black_holed: [
    ['address:black-holed', { kind: 'udp' }, { '{kind="udp"}': 1 }],
    ['address:recovered', { kind: 'udp' }, {}],
  ],
}

describe('a gauge', () => {
  it.each(Object.entries(courses))('%s falls as it rises', async (name, steps) => {
    const { say, gauge, swarm } = counted()
    expect(await gauge(name)).toEqual({})
    for (const [type, fields, expected] of steps) {
      say(type, fields)
      expect(await gauge(name), type).toEqual(expected)
    }
    swarm.close([])
  })
})
