import { styleText } from 'node:util'
import type { connections, EventOf, gossipsub, identify, kad, ping, Swarm } from 'rxswarm'
import { bufferTime, filter, from, map, mergeMap, Subject, takeUntil } from 'rxjs'

type Factory = typeof connections | typeof identify | typeof ping | typeof kad | typeof gossipsub
type Shown = Swarm<readonly ReturnType<Factory>[]>
type Event = EventOf<readonly ReturnType<Factory>[]>

const BAR_WIDTH = 32
const EVERY_MS = 100
const colours = ['cyan', 'yellow', 'magenta', 'blue', 'green'] as const

/** Shows what happens at some nodes: a line for each event that tells something, and a bar on a terminal. */
export function show(nodes: readonly Pick<Shown, 'self' | 'event$'>[], total: number) {
  const closed$ = new Subject<void>()
  const live = process.stdout.isTTY === true
  const names = new Map(nodes.map(({ self }, i) => [self, `node ${i}`]))
  const nameOf = (peer: string) => names.get(peer) ?? peer.slice(-6)
  let arrived = 0

  const bar = () => {
    const share = total === 0 ? 1 : arrived / total
    const full = Math.round(share * BAR_WIDTH)
    const drawing = styleText('green', '█'.repeat(full)) + styleText('dim', '░'.repeat(BAR_WIDTH - full))
    process.stdout.write(`\r\u001b[K${drawing} ${arrived}/${total}`)
  }
  const print = (line: string) => {
    process.stdout.write(`${live ? '\r\u001b[K' : ''}${line}\n`)
    if (live) bar()
  }
  const watch = ({ event$ }: Pick<Shown, 'event$'>, index: number) =>
    event$
      .pipe(
        takeUntil(closed$),
        map((event) => ({ event, text: describe(event, nameOf) })),
        filter(({ text }) => text !== undefined),
        bufferTime(EVERY_MS),
        mergeMap((burst) => {
          const messages = burst.filter(({ event }) => event.type === 'gossipsub:message')
          arrived += messages.length
          return from(burst.filter(({ event }) => event.type !== 'gossipsub:message').concat(messages.slice(-1)))
        }),
      )
      .subscribe(({ event, text }) => {
        const who = styleText(colours[index % colours.length]!, `node ${index}`.padEnd(8))
        const what = styleText(event.type.endsWith('failed') ? 'red' : 'dim', event.type.padEnd(22))
        print(`${who}${what}${text}`)
      })
  nodes.forEach(watch)

  return {
    /** Ends the display, with a word on how it went. */
    close(report?: { delivered: number; missing: number; dhtVerified: boolean; elapsedMs: number }) {
      closed$.next() // what is still buffered is shown
      if (report === undefined) return void process.stdout.write(live ? '\n' : '')
      arrived = report.delivered
      const good = report.missing === 0 && report.dhtVerified
      const hash = report.dhtVerified ? 'the hash in the DHT agrees' : 'the hash in the DHT does not agree'
      const text = `${report.delivered} delivered, ${report.missing} missing, ${hash}, ${report.elapsedMs} ms`
      print(styleText(good ? 'green' : 'red', `${good ? '✔' : '✘'} ${text}`))
      if (live) process.stdout.write('\n')
    },
  }
}

/** What a person wants to know of an event; nothing for the others. */
function describe(event: Event, nameOf: (peer: string) => string): string | undefined {
  switch (event.type) {
    case 'connection:open':
      return `${event.connection.direction} ${event.connection.transport} ${nameOf(event.connection.peer)}`
    case 'connection:close':
      return nameOf(event.connection.peer)
    case 'peer:identify':
      return `${nameOf(event.peer)} is ${event.agentVersion ?? 'unknown'}`
    case 'gossipsub:joined':
      return event.topic
    case 'gossipsub:peer-joined':
      return `${nameOf(event.peer)} → ${event.topic}`
    case 'gossipsub:message':
      return `${event.topic} ${event.data.byteLength} bytes from ${nameOf(event.from)}`
    case 'kad:stored':
      return `${event.key} on ${event.peers.map(nameOf).join(', ')}`
    case 'kad:found':
      return `${event.key} from ${nameOf(event.from)}: ${Buffer.from(event.value).toString('hex').slice(0, 16)}…`
    case 'command:failed':
      return `${event.command}: ${event.error.message}`
    default:
      return undefined
  }
}
