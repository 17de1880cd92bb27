import { parseArgs } from 'node:util'
import { bulk } from './bulk.ts'
import type { Bench, Result } from './compare.ts'
import { chains } from './chains.ts'
import { dial } from './dial.ts'
import { dialHole } from './dialHole.ts'
import { dashboards } from './dashboard.ts'
import { dht } from './dht.ts'
import { discoveries } from './discovery.ts'
import { dispatch } from './dispatch.ts'
import { execute } from './execute.ts'
import { explained } from './explained.ts'
import { gossip } from './gossip.ts'
import { lanes } from './lanes.ts'
import { memory } from './memory.ts'
import { observed } from './observed.ts'
import { policies } from './policies.ts'
import { relays } from './relay.ts'
import { rendezvousPoint } from './rendezvous.ts'
import { scrape } from './scrape.ts'
import { scrapesHttp } from './scrapeHttp.ts'
import { security } from './security.ts'
import { simulation } from './simulation.ts'
import { stalled } from './stalled.ts'
import { traced } from './traced.ts'
import { xstreams } from './xstreams.ts'

const HELP = `npm run bench -- [--only NAME] [--json] [--check]

Measures rxswarm against its peers, in turns within the same run: A B A B …
Reports the median of each, and the median of the ratios within each round.
The ratio is always "bigger is better for rxswarm": ours/peer for rates, peer/ours for times and memory.

  --only NAME   only what begins with NAME: dispatch, dial-quic, execute-sync-2
  --json        one JSON line for each result
  --check       exit 1 when a goal is missed
  --help        this text
`

/** A run that takes longer is stuck. */
const STUCK_AFTER_MS = 1_200_000

const benches: readonly Bench[] = [
  ...dispatch,
  ...execute,
  ...policies,
  ...observed,
  ...scrape,
  ...scrapesHttp,
  ...traced,
  ...dashboards,
  ...lanes,
  ...simulation,
  ...gossip,
  ...dial,
  ...dialHole,
  ...memory,
  ...rendezvousPoint,
  ...security,
  ...explained,
  ...bulk,
  ...chains,
  ...xstreams,
  ...stalled,
  ...relays,
  ...discoveries,
  ...dht,
]

const options = {
  only: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

function flags() {
  try {
    const { values } = parseArgs({ options })
    const names = benches.flatMap(({ names }) => names)
    if (names.some((name) => name.startsWith(values.only))) return values
    throw new Error(`nothing is called ${values.only}; there are ${names.join(', ')}`)
  } catch (error) {
    console.error(`bench: ${(error as Error).message.split('\n')[0]}`)
    process.exit(2)
  }
}

const round = (value: number) => Number(value.toPrecision(4))
const shown = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 4 })
const row = (name: string, ours: string, peer: string, unit: string, ratio: string, rest: string) =>
  [name.padEnd(22), ours.padStart(11), peer.padStart(11), '', unit.padEnd(10), ratio.padStart(7), '', rest].join(' ')

function asJson({ ours, peer, ratio, added, ...rest }: Result): string {
  const numbers = { ours: round(ours), peer: round(peer), ratio: round(ratio) }
  return JSON.stringify({ ...rest, ...numbers, ...(added === undefined ? {} : { added: round(added) }) })
}

function asRow({ name, ours, peer, peerName, ratio, unit, added, goal, met }: Result): string {
  const goalText = goal === undefined ? '' : `; ${goal}: ${met ? 'met' : 'MISSED'}`
  const addedText = added === undefined ? '' : `, adds ${shown(added)} ${unit}`
  return row(name, shown(ours), shown(peer), unit, ratio.toFixed(3), `${peerName}${addedText}${goalText}`)
}

const { only, json, check, help } = flags()
if (help) {
  process.stdout.write(HELP)
  process.exit(0)
}
const stuck = setTimeout(() => {
  console.error(`bench: not done after ${STUCK_AFTER_MS} ms`)
  process.exit(1)
}, STUCK_AFTER_MS)
stuck.unref()

if (!json) console.log(row('', 'rxswarm', 'peer', 'unit', 'ratio', 'peer'))
for (const { names, run } of benches) {
  if (!names.some((name) => name.startsWith(only))) continue
  for (const result of await run()) {
    console.log(json ? asJson(result) : asRow(result))
    if (check && result.met === false) process.exitCode = 1
  }
}
