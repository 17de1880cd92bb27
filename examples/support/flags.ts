import { parseArgs } from 'node:util'

const TRANSPORTS = ['quic', 'tcp', 'memory'] as const
const MOST_NODES = 64

const HELP = `npm start -- [options]

  --input FILE      what to publish, line by line; - reads standard input   (README.md)
  --nodes N         how many nodes, 2 to ${MOST_NODES}                              (3)
  --transport NAME  ${TRANSPORTS.join(', ')}                                     (quic)
  --json            end with one line of JSON
  --help            this text

Exits with 0 when every line reached every node and the hash in the DHT agrees, 1 when not, 2 for a wrong option.`

/** What the program was asked to do. */
export interface Flags {
  readonly input: string
  readonly nodes: number
  readonly transport: (typeof TRANSPORTS)[number]
  readonly json: boolean
}

/** Reads the command line; ends the program with a word of why when it is wrong. */
export function readFlags(): Flags {
  try {
    const { values } = parseArgs({
      options: {
        input: { type: 'string', default: 'README.md' },
        nodes: { type: 'string', default: '3' },
        transport: { type: 'string', default: 'quic' },
        json: { type: 'boolean', default: false },
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
    return { input: values.input, nodes, transport, json: values.json }
  } catch (error) {
    return stop(error instanceof Error ? error.message : String(error))
  }
}

/** Ends the program because of a wrong option. */
export function stop(why: string): never {
  console.error(`${why}\nSee npm start -- --help`)
  process.exit(2)
}
