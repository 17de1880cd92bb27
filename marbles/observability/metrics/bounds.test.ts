import { inVirtualTime } from 'rxswarm/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { samplesOf, tellingSwarm } from './tellingSwarm.ts'

const MANY = 100_000
/** What `MetricFamily` remembers; one more is `other`. */
const MOST_SERIES = 256
const MOST_VALUES = 64

/** Somebody invents a name each time. */
function error(index: number): Error {
  const one = new Error('mine')
  one.name = `Error${index}`
  return one
}

const one = {
  address: '',
  direction: 'inbound',
  since: 0,
  transport: 'tcp',
  direct: true,
  limited: false,
}

describe('a node among 100 000 peers that invent what they can', () => {
  let page = ''
  beforeAll(async () => {
    let read: Promise<string> | undefined
    inVirtualTime(() => {
      const { swarm, say, read: reading } = tellingSwarm([], { peerLabels: 10 })
      for (let index = 0; index < MANY; index++) {
        const [peer, topic, protocol] = [`peer${index}`, `topic${index}"\n\u0000`, `/p${index}/${'x'.repeat(300)}`]
        say('connection:open', { connection: { ...one, id: peer, peer } })
        if (index >= 50) say('connection:close', { connection: { ...one, id: peer, peer } })
        say('gossipsub:message', { topic, data: new Uint8Array(2) })
        say('gossipsub:refused', { topic, verdict: index % 2 === 0 ? 'reject' : 'ignore' })
        say('xauth:denied', { protocol, direction: index % 2 === 0 ? 'inbound' : 'outbound' })
        say('kad:record-refused', { key: 'k', error: error(index) })
        say('access:denied', { rule: index })
        say('relay:denied', { request: `r${index}`, status: `s${index}` })
        say(`strange:said-${index}`, { error: error(index) })
        say('policy:tripped', { policy: 'breaker', key: peer, openMs: 1_000 })
        swarm.command$.next({ type: `no/such-${index}`, id: `c${index}` })
      }
      read = reading()
    })
    page = await read!
  }, 60_000)

  it('has a bounded number of series of each metric, and of all together', () => {
    const families = new Map<string, number>()
    for (const series of samplesOf(page).keys()) {
      const name = series.split('{')[0]!
      families.set(name, (families.get(name) ?? 0) + 1)
    }
    families.delete('rxswarm_metrics_overflow_total') // one for each metric there is
    for (const [name, count] of families) expect(count, name).toBeLessThanOrEqual(MOST_SERIES + 1)
    expect(page.length).toBeLessThan(1_000_000)
  })
  it.each([
    ['rxswarm_gossip_messages_total', MANY, MOST_VALUES + 1],
    ['rxswarm_gossip_message_bytes_total', 2 * MANY, MOST_VALUES + 1],
    ['rxswarm_gossip_refused_total', MANY, MOST_VALUES + 2],
    ['rxswarm_xauth_denied_total', MANY, MOST_VALUES + 2],
    ['rxswarm_kad_records_refused_total', MANY, MOST_VALUES + 1],
    ['rxswarm_access_decisions_total', MANY, MOST_VALUES + 1],
    ['rxswarm_relay_denied_total', MANY, MOST_VALUES + 1],
    ['rxswarm_event_errors_total', 2 * MANY, MOST_SERIES + 1],
    ['rxswarm_commands_total', MANY, MOST_VALUES + 1],
    ['rxswarm_connections_opened_total', MANY, 1],
    ['rxswarm_connections_closed_total', MANY - 50, 1],
    ['rxswarm_connections', 50, 1],
    ['rxswarm_peers', 50, 1],
    ['rxswarm_peer_connections', 50, 11],
  ])('counts %s to the last, by at most some labels', (name, sum, most) => {
    const own = [...samplesOf(page)].filter(([series]) => series.split('{')[0] === name).map(([, value]) => value)
    expect(own.reduce((one, other) => one + other)).toBe(sum)
    expect(own.length).toBeLessThanOrEqual(most)
  })
  it('says of which metric something found no room', () => {
    const samples = samplesOf(page)
    const overflow = (metric: string) => samples.get(`rxswarm_metrics_overflow_total{metric="${metric}"}`)
    expect(overflow('rxswarm_gossip_messages_total')).toBe(MANY - MOST_VALUES)
    expect(overflow('rxswarm_kad_records_refused_total')).toBe(MANY - MOST_VALUES)
    expect(overflow('rxswarm_connections_opened_total')).toBeUndefined()
  })
  it('writes nothing that breaks a line, and nothing that is long', () => {
    for (const line of page.split('\n').slice(0, -1)) {
      expect(line).toMatch(/^(# |[a-z_]+(\{.*\})? \S+$)/)
      if (!line.startsWith('#')) expect(line.length).toBeLessThan(600)
    }
    // oxlint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  })
})
