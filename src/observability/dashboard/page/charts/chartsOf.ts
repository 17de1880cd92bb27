import type { Sample } from '../../model/dashboardItem.ts'
import { bytesText } from '../text/bytesText.ts'
import { countText } from '../text/countText.ts'
import { spanText } from '../text/spanText.ts'
import { bytesPerSecond, commandsPerSecond, eventsPerSecond, failuresPerSecond } from './rates.ts'

/** A line of a chart. */
export interface ChartLine {
  /** What it is. */
  readonly name: string
  /** One for each sample; `null` where nothing was measured. */
  readonly values: readonly (number | null)[]
}

/** A chart. */
export interface ChartData {
  /** Names it. */
  readonly id: string
  /** What it shows, with its unit. */
  readonly title: string
  /** Lines, at most four. */
  readonly lines: readonly ChartLine[]
  /** A value as text. */
  readonly text: (value: number | undefined) => string
}

/** Types of commands that have settled in any of the samples, the most frequent first. */
export function commandsIn(samples: readonly Sample[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const { commands } of samples) {
    for (const [type, { completed, failed }] of Object.entries(commands)) {
      counts.set(type, (counts.get(type) ?? 0) + completed + failed)
    }
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([type]) => type)
}

const perSecond = (value: number | undefined): string => `${countText(value)}/s`
const bytesRate = (value: number | undefined): string => `${bytesText(value)}/s`

/**
 * The charts of some samples.
 *
 * @param command Whose latencies are shown.
 * @shape Those without data are left out: bytes when nothing counts them, latencies when no command has settled.
 */
export function chartsOf(samples: readonly Sample[], command: string | undefined): readonly ChartData[] {
  const line = (name: string, read: (sample: Sample) => number | undefined): ChartLine => ({
    name,
    values: samples.map((sample) => read(sample) ?? null),
  })
  const all: ChartData[] = [
    {
      id: 'commands',
      title: 'Commands',
      text: perSecond,
      lines: [line('settled', commandsPerSecond), line('failed', failuresPerSecond)],
    },
    { id: 'events', title: 'Events', text: perSecond, lines: [line('said', eventsPerSecond)] },
  ]
  if (command !== undefined) {
    all.push({
      id: 'latency',
      title: `Latency of ${command}`,
      text: spanText,
      lines: [
        line('half within', ({ commands }) => commands[command]?.p50Ms),
        line('99 % within', ({ commands }) => commands[command]?.p99Ms),
      ],
    })
  }
  if (samples.some(({ bytes }) => bytes !== undefined)) {
    const [received, sent] = [(one: Sample) => bytesPerSecond(one).in, (one: Sample) => bytesPerSecond(one).out]
    all.push({ id: 'bytes', title: 'Bytes', text: bytesRate, lines: [line('received', received), line('sent', sent)] })
  }
  all.push(
    {
      id: 'loop',
      title: 'Event loop delay',
      text: spanText,
      lines: [line('mean', ({ loop }) => loop.meanMs), line('at most', ({ loop }) => loop.maxMs)],
    },
    {
      id: 'connections',
      title: 'Connections and streams',
      text: countText,
      lines: [line('connections', ({ connections }) => connections), line('streams', ({ streams }) => streams)],
    },
    {
      id: 'cpu',
      title: 'Processor',
      text: (value) => `${countText(value === undefined ? undefined : value * 100)} %`,
      lines: [line('of one core', ({ cpu }) => cpu)],
    },
    {
      id: 'memory',
      title: 'Memory of the process',
      text: bytesText,
      lines: [line('heap', ({ heapBytes }) => heapBytes), line('resident', ({ rssBytes }) => rssBytes)],
    },
  )
  return all
}

/** A chart in a sentence, for those who do not see it. */
export function chartSummary({ title, lines, text }: ChartData): string {
  const parts = lines.map(({ name, values }) => {
    const known = values.filter((value) => value !== null)
    if (known.length === 0) return `${name}: nothing measured`
    return `${name}: now ${text(known.at(-1))}, between ${text(Math.min(...known))} and ${text(Math.max(...known))}`
  })
  return `${title}. ${parts.join('. ')}.`
}
