import { z } from 'zod'
import { ConfigError, type ConfigProblem } from '../../errors/errors.ts'
import { limitsSpec } from '../../swarm/limitsSpec.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import { checkOptions } from '../../swarm/checkOptions.ts'
import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import { builtInPorts } from './builtInPorts.ts'
import { faultProblems } from './faultProblems.ts'
import { linkSchema, nodesSchema, scheduleSchema } from './schemas.ts'
import type { NodeOptions, SimulatedPorts, SimulateOptions } from './simulateOptions.ts'

const callable = <T>() => z.custom<T>((value) => typeof value === 'function', 'must be a function')
const ms = z.number('must be a number of milliseconds').positive('must be above 0')
type Any = SimulateOptions<readonly AnyModule[]>

const schema = z.strictObject(
  {
    seed: z.union([z.number(), z.string()], 'must be a number or a text'),
    nodes: nodesSchema,
    use: callable<Any['use']>(),
    link: linkSchema.default({}),
    links: z.record(z.string(), linkSchema, 'must be an object').default({}),
    transport: z.enum(['quic', 'tcp'], 'must be quic or tcp').default('quic'),
    faults: scheduleSchema.default([]),
    ports: z.record(z.string(), callable<SimulatedPorts>(), 'must be an object').default({}),
    dialTimeoutMs: ms.default(5_000),
    idleTimeoutMs: ms.default(5_000),
    log: z.boolean('must be true or false').default(true),
    deadlineMs: ms.default(5_000),
    limits: limitsSpec,
    commandChain: callable<NonNullable<Any['commandChain']>>().optional(),
    eventChain: callable<NonNullable<Any['eventChain']>>().optional(),
  },
  'must be an object',
)

/** Options of a simulation with their defaults, and the nodes by name. */
export type CheckedSimulation = Omit<z.output<typeof schema>, 'nodes'> & {
  /** What each node is like, in order. */
  readonly nodes: ReadonlyMap<string, NodeOptions>
}

/** Options with their defaults. @errors `ConfigError` with every problem that they have. */
export function checkSimulation(options: unknown): CheckedSimulation {
  const { value, problems } = problemsIn('', schema, options)
  if (problems.length > 0) throw new ConfigError(problems)
  const nodes = nodesOf(value.nodes as Any['nodes'])
  const names = new Set(nodes.keys())
  const all = [
    ...Object.keys(value.links).flatMap((key) => linkProblems(key, names)),
    ...value.faults.flatMap(({ fault }, i) => faultProblems(`faults[${i}].fault`, fault, names)),
    ...[...names].flatMap((name) => useProblems(name, value.use, value.ports)),
  ]
  if (all.length > 0) throw new ConfigError(all)
  return { ...value, nodes }
}

function nodesOf(nodes: Any['nodes']): ReadonlyMap<string, NodeOptions> {
  if (typeof nodes === 'number') return new Map(Array.from({ length: nodes }, (_, i) => [`n${i + 1}`, {}]))
  if (Array.isArray(nodes)) return new Map((nodes as readonly string[]).map((name) => [name, {}]))
  return new Map(Object.entries(nodes))
}

function linkProblems(key: string, names: ReadonlySet<string>): readonly ConfigProblem[] {
  const path = `links['${key}']`
  const ends = key.split('>')
  if (ends.length !== 2) return [{ path, message: 'must name a direction, as in alice>bob' }]
  return ends.filter((name) => !names.has(name)).map((name) => ({ path, message: `there is no node ${name}` }))
}

/** What is wrong with the modules of a node, in the words of `createSwarm`; and those that have no simulated ports. */
function useProblems(name: string, use: Any['use'], ports: Readonly<Record<string, SimulatedPorts>>) {
  const at = `use('${name}')`
  try {
    const modules = use(name)
    checkOptions({ use: modules })
    return modules
      .filter((module) => !Object.hasOwn(ports, module.name) && !Object.hasOwn(builtInPorts, module.name))
      .map((module): ConfigProblem => {
        const message = `${at} has the behaviour ${module.name}, which has no simulated ports; give them here`
        return { path: `ports.${module.name}`, message }
      })
  } catch (error) {
    if (!(error instanceof ConfigError)) return [{ path: at, message: `threw: ${String(error)}` }]
    return error.problems.map(({ path, message }) => ({ path: path.replace(/^use/, at), message }))
  }
}
