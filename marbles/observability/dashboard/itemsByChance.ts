import fc from 'fast-check'
import type { Item } from '../../../src/observability/dashboard/model/dashboardItem.ts'
import { tellingTypes } from '../../../src/observability/dashboard/model/reduceView.ts'
import type { PlainEvent } from '../../../src/observability/plainEvent.ts'
import { aSample } from './aSample.ts'

const few = <T>(...values: readonly T[]) => fc.constantFrom(...values)
const some = fc.nat({ max: 3_000 })
const peer = some.map((n) => `peer${n}`)
const hostile = few('__proto__', 'constructor', '<img src=x onerror=alert(1)>', '', 'toString')
const text = fc.oneof(
  peer,
  some.map((n) => `name${n}`),
  hostile,
)

/** Fields as events have them, in any mixture: what a recording that was altered can hold too. */
const fields = fc.record(
  {
    peer: fc.oneof(peer, hostile),
    connection: fc.oneof(
      fc.record({
        id: some.map((n) => `c${n}`),
        peer,
        address: few('/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.1/tcp/1/p2p/relay1/p2p-circuit/p2p/peer1'),
        direction: few('inbound', 'outbound'),
        transport: few('tcp', 'quic', 'relay', 'chain'),
        direct: fc.boolean(),
        limited: fc.boolean(),
        since: fc.nat(),
      }),
      text,
    ),
    topic: text,
    by: few('mdns', 'dht'),
    source: text,
    on: fc.boolean(),
    relay: text,
    point: text,
    namespace: text,
    session: text,
    path: fc.array(text, { maxLength: 3 }),
    addresses: fc.array(text, { maxLength: 3 }),
    announced: fc.array(text, { maxLength: 3 }),
    key: text,
    policy: few('breaker'),
    openMs: fc.nat(),
    behaviour: few('relay', 'discovery', 'kad', '__proto__'),
    error: fc.oneof(fc.record({ name: text, message: text }), text, fc.constant(null)),
    command: few('kad/get', 'kad/put', 'rendezvous/register', 'ping/once'),
    cause: some.map((n) => `c${n}`),
    owner: text,
    direction: few('inbound', 'outbound'),
    ended: fc.boolean(),
    expiresAt: fc.nat(),
    ttlMs: fc.nat(),
    kind: few('udp', 'ip6'),
    check: text,
    status: text,
    reason: text,
    alert: text,
    rule: text,
    title: text,
    severity: few('info', 'warning', 'critical', 'none'),
    value: fc.integer(),
    source2: text,
    destination: text,
    bytes: fc.nat(),
    reasons: fc.array(fc.record({ text }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
)

const event = fc
  .tuple(fc.constantFrom(...tellingTypes, 'user:event'), fields)
  .map(([type, told]) => ({ ...told, type, at: 0 }) satisfies PlainEvent)

const sample = fc
  .record({
    events: fc.dictionary(text, fc.nat({ max: 9 }), { maxKeys: 4 }),
    rtts: fc.array(fc.tuple(peer, fc.nat({ max: 2_000 })), { maxLength: 3 }),
    connections: fc.nat({ max: 9 }),
  })
  .map((told) => aSample(0, told))

/** Items as they come, one after the other in time; the clock is set back now and then. */
export const itemsByChance = (maxLength: number): fc.Arbitrary<readonly Item[]> =>
  fc
    .array(
      fc.tuple(
        fc.oneof({ weight: 9, arbitrary: event }, { weight: 1, arbitrary: sample }),
        fc.integer({ min: -50, max: 900 }),
      ),
      {
        maxLength,
        size: 'max',
      },
    )
    .map((items) => {
      let at = 1_000
      return items.map(([item, afterMs]): Item => ({ ...item, at: (at += afterMs) }))
    })
