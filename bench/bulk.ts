import { compare, type Bench } from './compare.ts'
import { forked } from './forked.ts'
import { interleave } from './interleave.ts'
import { median } from './median.ts'
import type { Transport } from './nodesOn.ts'

/** What goes through a stream at a time. */
export const BULK_BYTES = 64 << 20

/** An xstream; a stream of a connection of the same node; a stream of libp2p as it comes, with its own transports. */
export type BulkWay = 'xstream' | 'bare' | 'libp2p'

/** What the processes say: where the reader is, and how long a writing took until the reader had all. */
export type BulkAnswer = { readonly addresses: readonly string[] } | { readonly ms: number }

const ROUNDS = 9
const IN_A_ROUND = 3
const RATIO = 0.97

/**
 * MiB a second, from opening a stream until the reader has told that it has all: writer and reader in new processes of
 * their own, because a process is quick or slow for as long as it lives.
 */
async function rate(transport: Transport, way: BulkWay): Promise<number> {
  const reader = forked<BulkAnswer>('bulkEnd.ts', 'reader', transport, way)
  const { addresses } = await reader.said<{ addresses: readonly string[] }>()
  const writer = forked<BulkAnswer>('bulkEnd.ts', 'writer', transport, way, ...addresses)
  const write = async () => {
    writer.tell({})
    const { ms } = await writer.said<{ ms: number }>()
    return BULK_BYTES / (1 << 20) / (ms / 1_000)
  }
  try {
    await write() // warm
    const rates = []
    for (let index = 0; index < IN_A_ROUND; index++) rates.push(await write())
    return median(rates)
  } finally {
    writer.stop()
    reader.stop()
  }
}

function over(transport: Transport): Bench {
  const names = { bare: `xstream-bulk-${transport}`, libp2p: `xstream-stock-${transport}` }
  return {
    names: Object.values(names),
    run: async () => {
      const of = (way: BulkWay) => () => rate(transport, way)
      const contestants = { ours: of('xstream'), libp2p: of('libp2p'), bare: of('bare') }
      const { ours, libp2p, bare } = await interleave(contestants, { rounds: ROUNDS, warmUps: 0 })
      const about = { unit: 'MiB/s', better: 'more' } as const
      return [
        compare(ours, bare, { ...about, name: names.bare, peerName: 'bare stream of a like node', atLeast: RATIO }),
        compare(ours, libp2p, { ...about, name: names.libp2p, peerName: 'stream of libp2p as it comes' }),
      ]
    },
  }
}

/** Bulk through an xstream, from process to process, against streams of libp2p. */
export const bulk: readonly Bench[] = [over('quic'), over('tcp')]
