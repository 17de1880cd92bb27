import { parseArgs } from 'node:util'

const TRANSPORTS = ['quic', 'tcp', 'memory'] as const
const MOST_NODES = 64
const MOST_PORT = 65_535

const HELP = `npm start -- [options]

  --input FILE      what to publish, line by line; - reads standard input   (README.md)
  --nodes N         how many nodes, 2 to ${MOST_NODES}                              (3)
  --transport NAME  ${TRANSPORTS.join(', ')}                                     (quic)
  --json            end with one line of JSON
  --dashboard       show the first node and its swarm in a browser, and go on until Ctrl-C; =PORT for a port of your choice
  --help            this text

Exits with 0 when every line reached every node and the hash in the DHT agrees, 1 when not, 2 for a wrong option.`

/** What the program was asked to do. */
export interface Flags {
  readonly input: string
  readonly nodes: number
  readonly transport: (typeof TRANSPORTS)[number]
  readonly json: boolean
  /** The port of the page that shows the first node; 0 for any, none for no page. */
  readonly dashboard: number | undefined
}

/** Reads the command line; ends the program with a word of why when it is wrong. */
export function readFlags(): Flags {
  try {
    const { values } = parseArgs({
      args: process.argv.slice(2).map((arg) => (arg === '--dashboard' ? '--dashboard=0' : arg)),
      options: {
        input: { type: 'string', default: 'README.md' },
        nodes: { type: 'string', default: '3' },
        transport: { type: 'string', default: 'quic' },
        json: { type: 'boolean', default: false },
        dashboard: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(HELP)
      process.exit(0)
    }
    const nodes = Number(values.nodes)
    if (!Number.isInteger(nodes) || nodes < 2 || nodes > MOST_NODES) {
      throw new Error(`--nodes must be a whole number from 2 to ${MOST_NODES}, not ${values.nodes}`)
    }
    const transport = TRANSPORTS.find((name) => name === values.transport)
    if (transport === undefined)
      throw new Error(`--transport must be ${TRANSPORTS.join(', ')}, not ${values.transport}`)
    const dashboard = values.dashboard === undefined ? undefined : Number(values.dashboard)
    if (dashboard !== undefined && !(Number.isInteger(dashboard) && dashboard >= 0 && dashboard <= MOST_PORT))
      throw new Error(`--dashboard must be a port, not ${values.dashboard}`)
    return { input: values.input, nodes, transport, json: values.json, dashboard }
  } catch (error) {
    return stop(error instanceof Error ? error.message : String(error))
  }
}

/** Ends the program because of a wrong option. */
export function stop(why: string): never {
  console.error(`${why}\nSee npm start -- --help`)
  process.exit(2)
}
