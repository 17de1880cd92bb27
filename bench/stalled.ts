import { compare, type Bench } from './compare.ts'
import { forked } from './forked.ts'
import type { Transport } from './nodesOn.ts'
import { OFFERED_BYTES, WARM_BYTES, type StalledAnswer, type Way } from './stalledEnd.ts'

const MOST_MIB = 16
const mebi = (bytes: number) => bytes / (1 << 20)
/** At least a page or so: less is not seen, and nothing is divided by. */
const grownMebi = (bytes: number) => Math.max(0.1, mebi(bytes))

type Grown = Extract<StalledAnswer, { grownBytes: number }>

/** Lets a reader stop once, and tells how much both ends have grown meanwhile. */
async function stall(transport: Transport, way: Way) {
  const reader = forked<StalledAnswer>('stalledReader.ts', transport, way)
  const writer = forked<StalledAnswer>('stalledWriter.ts', transport, way)
  try {
    writer.tell(await reader.said())
    await reader.said() // it is warm, and stands still
    writer.tell({ isWarm: true })
    const readerGrown = await reader.said<Grown>()
    writer.tell({})
    const writerGrown = await writer.said<Grown>()
    if (writerGrown.bytes >= OFFERED_BYTES) throw new Error(`${way} over ${transport}: the writer was not stalled`)
    reader.tell({})
    const { bytes } = await reader.said<{ bytes: number }>()
    return {
      reader: readerGrown.grownBytes,
      writer: writerGrown.grownBytes,
      came: bytes,
      piled: writerGrown.bytes - WARM_BYTES,
    }
  } finally {
    reader.stop()
    writer.stop()
  }
}

function over(transport: Transport): Bench {
  const ends = ['writer', 'reader'] as const
  const nameOf = (end: (typeof ends)[number]) => `stalled-${end}-${transport}`
  return {
    names: ends.map(nameOf),
    run: async () => {
      // at once: each of the four processes has its own memory, and all of them stand still
      const [ours, bare] = await Promise.all([stall(transport, 'xstream'), stall(transport, 'bare')])
      const piled = `${mebi(ours.piled).toFixed(1)} MiB (${mebi(bare.piled).toFixed(1)}) were written into the stop`
      const came = `${Math.round(mebi(ours.came))} of ${mebi(OFFERED_BYTES)} MiB came afterwards`
      const about = {
        unit: 'MiB',
        better: 'less',
        peerName: `paused bare stream; ${piled}, ${came}`,
        oursAtMost: MOST_MIB,
      } as const
      return ends.map((end) => compare([grownMebi(ours[end])], [grownMebi(bare[end])], { ...about, name: nameOf(end) }))
    },
  }
}

/**
 * How much the memory of writer and reader grows while the one offers 1 GiB and the other has stopped for 10 s; then the
 * reader reads on, for 6 s at most.
 */
export const stalled: readonly Bench[] = [over('quic'), over('tcp')]
