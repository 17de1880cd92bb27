import { asyncScheduler } from 'rxjs'
import { z } from 'zod'
import { parseAddress } from './libp2p/parse.ts'
import { callable, clock, some } from '../errors/optionKinds.ts'
import { problemsIn } from '../errors/problemsIn.ts'
import { limitsSpec } from './limitsSpec.ts'
import { coreSlices } from './state.ts'
import type { SwarmOptions } from './swarmOptions.ts'
import type { AnyModule } from './vocabulary/behaviour.ts'
import { ConfigError, type ConfigProblem } from '../errors/errors.ts'

const is = <T>(what: string, test: (value: unknown) => boolean) => z.custom<T>(test, `must be ${what}`)
const member = (value: unknown, name: string): unknown => (value as Record<string, unknown> | null | undefined)?.[name]

const module = is<AnyModule>(
  'a behaviour module; call its factory: kad(), not kad',
  (value) =>
    typeof value === 'object' &&
    typeof member(value, 'name') === 'string' &&
    typeof member(value, 'commands') === 'object' &&
    typeof member(value, 'ports') === 'function' &&
    typeof member(value, 'behaviour') === 'function',
)

const address = z.string('must be a multiaddr as text').superRefine((text, context) => {
  try {
    parseAddress(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message.replace(/^address: /, '') })
  }
})

type Any = SwarmOptions<readonly AnyModule[]>

const schema = z.strictObject({
  use: z.array(module, 'must be a list of behaviour modules'),
  identity: is<NonNullable<Any['identity']>>(
    'a libp2p private key',
    (key) => typeof member(key, 'sign') === 'function' && typeof member(key, 'publicKey') === 'object',
  ).optional(),
  transports: z
    .array(z.enum(['quic', 'tcp', 'memory'], 'must be quic, tcp or memory'), 'must be a list')
    .min(1, 'must name at least one transport')
    .default(['quic', 'tcp']),
  listen: z.array(address, 'must be a list of multiaddrs').optional(),
  maxConnections: some.default(1_024),
  datastore: is<NonNullable<Any['datastore']>>('a datastore, such as new LevelDatastore(path)', (store) =>
    ['get', 'put', 'delete', 'query'].every((name) => typeof member(store, name) === 'function'),
  ).optional(),
  deadlineMs: z.number('must be a number of milliseconds').positive('must be above 0').default(5_000),
  limits: limitsSpec,
  commandChain: callable<NonNullable<Any['commandChain']>>().optional(),
  eventChain: callable<NonNullable<Any['eventChain']>>().optional(),
  scheduler: clock.default(asyncScheduler),
  random: callable<() => number>().default(() => Math.random),
  dashboard: is<NonNullable<Any['dashboard']>>(
    'true, false or options of dashboard and pages',
    (shown) => typeof shown === 'boolean' || (typeof shown === 'object' && shown !== null),
  ).optional(),
  libp2p: callable<NonNullable<Any['libp2p']>>().optional(),
})

/**
 * Options with their defaults.
 *
 * @param added Modules that an option has added to those of `use`.
 * @errors `ConfigError` with every problem that they have.
 */
export function checkOptions<Modules extends readonly AnyModule[]>(
  options: SwarmOptions<Modules>,
  added: readonly AnyModule[] = [],
) {
  const { value, problems } = problemsIn('', schema, options)
  const use: unknown = member(options, 'use')
  const all = Array.isArray(use) ? [...(use as readonly unknown[]), ...added] : []
  const problem = [
    ...problems,
    ...all.flatMap((module, i) => problemsOfModule(module, i, all, i >= all.length - added.length)),
  ]
  if (problem.length > 0) throw new ConfigError(problem)
  return { ...value, use: [...value.use, ...added] }
}

function problemsOfModule(
  module: unknown,
  index: number,
  all: readonly unknown[],
  isAdded: boolean,
): readonly ConfigProblem[] {
  const name = member(module, 'name')
  const commands = Object.keys((member(module, 'commands') as object | null | undefined) ?? {})
  const before = all.slice(0, index)
  const twice = before.some((other) => member(other, 'name') === name)
  const taken = commands.filter((type) => !twice && before.some((other) => member(member(other, 'commands'), type)))
  const own = (member(module, 'problems') ?? []) as readonly ConfigProblem[]
  const needs = (member(module, 'needs') ?? []) as readonly string[]
  const missing = needs.filter((other) => !all.some((one) => member(one, 'name') === other))
  const at = isAdded ? 'dashboard' : `use[${index}]`
  return [
    ...(twice ? [{ path: `${at}.name`, message: `${String(name)} is in use already; use each behaviour once` }] : []),
    ...(typeof name === 'string' && Object.hasOwn(coreSlices, name)
      ? [{ path: `${at}.name`, message: `${name} is a part of the swarm's own state; choose another name` }]
      : []),
    ...taken.map((type) => ({ path: `${at}.commands`, message: `${type} is answered by another behaviour already` })),
    ...missing.map((other) => ({ path: at, message: `${String(name)} needs ${other}; add it to use` })),
    ...own.map(({ path, message }) => ({ path: isAdded ? path : `${at}: ${path}`, message })),
  ]
}
