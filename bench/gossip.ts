import { fork } from 'node:child_process'
import { once } from 'node:events'
import { compare, type Bench } from './compare.ts'
import { gossipMember, type Kind } from './gossipMember.ts'
import type { Answer, Order } from './gossipReceiver.ts'
import { interleave } from './interleave.ts'
import type { Transport } from './nodesOn.ts'

const MESSAGES = 2_000
const DATA = new Uint8Array(200).fill(7)
const RECEIVERS = 2
const ROUNDS = 7
const RATIO = 0.97

/** A receiver in a process of its own, as on a machine of its own: one event loop for all would measure their turns. */
async function receiver(transport: Transport, kind: Kind) {
  const child = fork(new URL('gossipReceiver.ts', import.meta.url), [transport, kind])
  const [first] = (await once(child, 'message')) as [Answer]
  return {
    addresses: 'addresses' in first ? first.addresses : [],
    ask: async (order: Order) => {
      const answered = once(child, 'message')
      child.send(order)
      await answered
    },
    stop: () => child.disconnect(),
  }
}

/** A publisher here and its receivers, all connected with all and in one mesh. */
async function network(transport: Transport, kind: Kind) {
  const publisher = await gossipMember(transport, kind)
  const receivers = await Promise.all(Array.from({ length: RECEIVERS }, () => receiver(transport, kind)))
  for (const [index, { ask }] of receivers.entries()) {
    await ask({ dial: publisher.node.getMultiaddrs().map(String) })
    for (const other of receivers.slice(0, index)) await ask({ dial: other.addresses })
  }
  await Promise.all([publisher.ready(RECEIVERS), ...receivers.map(({ ask }) => ask({ ready: RECEIVERS }))])
  let sent = 0
  return {
    /** From the first publish until every receiver has every message. */
    rate: async () => {
      sent += MESSAGES
      const received = receivers.map(({ ask }) => ask({ receive: sent }))
      const start = performance.now()
      for (let index = 0; index < MESSAGES; index++) await publisher.publish(DATA)
      await Promise.all(received)
      return MESSAGES / ((performance.now() - start) / 1_000)
    },
    stop: async () => {
      for (const { stop } of receivers) stop()
      await publisher.stop()
    },
  }
}

function over(transport: Transport): Bench {
  const name = `gossip-${transport}`
  return {
    names: [name],
    run: async () => {
      const [ours, bare] = await Promise.all([network(transport, 'ours'), network(transport, 'bare')])
      try {
        const rates = await interleave({ ours: ours.rate, bare: bare.rate }, { rounds: ROUNDS, warmUps: 1 })
        const about = { name, unit: 'messages/s', better: 'more', peerName: 'libp2p', atLeast: RATIO } as const
        return [compare(rates.ours, rates.bare, about)]
      } finally {
        await Promise.all([ours.stop(), bare.stop()])
      }
    },
  }
}

/** Messages a second from one publisher, which awaits each publish, to two receivers over real sockets. */
export const gossip: readonly Bench[] = [over('quic'), over('tcp')]
