import { explore, type FaultSchedule } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { addressOf, probed } from './probe.ts'

const NAMES = ['a', 'b', 'c', 'd']
const PROTOCOL = '/count/1'

/** Nodes that count to each other on one stream a pair, dialled again and again, over a bad network. */
function counting(faults: FaultSchedule, seed: number, transport: 'quic' | 'tcp') {
  const link = { latencyMs: { type: 'uniform', minMs: 5, maxMs: 60 }, loss: 0.05, reorder: 0.2 } as const
  const probes = probed({ seed, nodes: NAMES, faults, link, transport, log: false })
  const { network, node } = probes
  const wrong: string[] = []
  const handle = (name: string) =>
    node(name).handle(PROTOCOL, (stream) => {
      let next = 0
      stream.chunk$.subscribe({
        next: ([n]) => void (n === next++ % 256 || wrong.push(`${name} heard ${n} for ${next - 1}`)),
        error: () => stream.reset(),
        complete: () => stream.end(),
      })
    })
  const count = (from: string, to: string) =>
    node(from)
      .open(to, PROTOCOL)
      .subscribe({
        error: () => undefined,
        next: (stream) => {
          for (let n = 0; n < 50; n++) stream.send(Uint8Array.of(n))
          stream.chunk$.subscribe({ error: () => undefined })
        },
      })
  const round = () => {
    for (const from of NAMES) {
      handle(from)
      for (const to of NAMES) {
        if (from === to) continue
        node(from).learn(to, [addressOf(to)])
        count(from, to)
      }
    }
  }
  return { ...probes, round, wrong, dispose: () => network.dispose(), names: network.names }
}

describe.each(['quic', 'tcp'] as const)('over %s, whatever goes wrong', (transport) => {
  it('streams stay in order, and both ends of every connection agree in the end', async () => {
    await explore({
      runs: 10,
      frames: 12,
      frameMs: 700,
      mostFaults: 10,
      faults: ['partition', 'heal', 'crash', 'restart', 'block', 'unblock', 'link', 'nat'],
      network: (faults, seed) => Object.assign(counting(faults, seed, transport).network, { seed, schedule: faults }),
      holds: ({ schedule, seed }) => {
        const { network, node, round, wrong } = counting(schedule, seed, transport)
        for (let i = 0; i < 12; i++) {
          round()
          network.advance(1_000)
        }
        network.inject({ type: 'heal' })
        for (const from of NAMES) {
          network.inject({ type: 'nat', node: from, on: false })
          for (const to of NAMES) if (from !== to) network.inject({ type: 'unblock', from, to })
        }
        network.advance(120_000)
        expect(wrong).toEqual([])
        const ends = NAMES.flatMap((name) =>
          node(name).connections.map(({ info, peer, isOpen }) => ({ name, peer, id: info.id, isOpen })),
        )
        for (const { name, peer, id, isOpen } of ends) {
          expect(isOpen).toBe(true)
          expect(ends.filter((end) => end.name === peer && end.peer === name && end.id === id)).toHaveLength(1)
        }
        network.dispose()
        expect(network.advance(600_000)).toBeUndefined()
      },
    })
  })
})
