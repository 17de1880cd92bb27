import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const sources = globSync('src/**/*.ts').map((path) => ({ path, text: readFileSync(path, 'utf8') }))

/** Lines of code of a file, without comments. */
function code(text: string): readonly string[] {
  return text
    .replace(/\/\*.*?\*\//gs, (comment) => comment.replace(/[^\n]/g, ''))
    .split('\n')
    .map((line) => line.replace(/\/\/.*$/, ''))
}

/** Where a pattern stands, as `path:line`, with the reason for which it must not. */
function places(paths: RegExp, pattern: RegExp, reason: string): readonly string[] {
  return sources
    .filter(({ path }) => paths.test(path))
    .flatMap(({ path, text }) =>
      code(text).flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${reason}: ${line.trim()}`] : [])),
    )
}

/** Run-time imports of a file: type-only ones left out. */
function imports(text: string): readonly string[] {
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'(?<from>[^']+)'/gm)]
    .filter(([statement]) => !/^(?:import|export)\s*\{(?:\s*type\s[^,}]+,?)*\s*\}/.test(statement))
    .map(({ groups }) => groups!['from']!)
}

const adapter =
  /^src\/(swarm\/(libp2p\/|behaviours\/\w+\/\w+(?:Ports|Service)\.ts)|observability\/\w+\/(?:page\/(?:\w+\/)*)?\w+(?:Ports|Server)\.ts)/
const module = /^src\/(?:swarm\/behaviours|observability)\/(\w+)\/\1\.ts/

describe('the house', () => {
  it('has one clock and one chance: neither is taken from the platform outside adapters', () => {
    const clock = /\b(Date\.now|Math\.random|setTimeout|setInterval|setImmediate|performance\.now)\b/
    const allowed = /^src\/(testing\/(marbles|simulation\/virtualDate)\.ts|swarm\/checkOptions\.ts)/ // virtual time itself; the default of an option
    const dry = new RegExp(`^(?!.*(?:${adapter.source.slice(1)}|${allowed.source.slice(1)}))`)
    expect(places(dry, clock, 'take it from wires.scheduler or wires.random')).toEqual([])
  })
  it('is wet in one place: only adapters import libp2p at run time', () => {
    const libp2p = /^(@libp2p|@chainsafe|@multiformats|libp2p|multiformats)(\/|$)/
    const wet = sources
      .filter(({ path }) => !adapter.test(path) && !module.test(path))
      .filter(({ text }) => imports(text).some((from) => libp2p.test(from)))
    expect(wet.map(({ path }) => path)).toEqual([])
  })
  it('keeps its layers: operators know rxjs, policies know operators, streams know neither', () => {
    const allowed: readonly (readonly [RegExp, RegExp])[] = [
      [/^src\/errors\//, /^(zod|\.\/)/],
      [/^src\/operators\//, /^(rxjs|zod|\.\/|\.\.\/(\w+\.ts|(\.\.\/)?errors\/))/],
      [/^src\/policies\//, /^(rxjs|cockatiel|zod|\.\/|\.\.\/(operators|errors)\/)/],
      [/^src\/streams\//, /^(rxjs|\.\/|\.\.\/(\w+\.ts|(\.\.\/)?errors\/))/],
      [/^src\/security\/audit\/(auditFile|verifyAudit|files\/\w+)\.ts/, /^(rxjs|zod|node:\w+(\/\w+)?$|\.\/|\.\.\/)/],
      [
        /^src\/security\/(?!audit\/(auditFile|verifyAudit|files\/\w+)\.ts)/,
        /^(rxjs|zod|node:(net|crypto)$|\.\/(?!files\/)|\.\.\/\w+\.ts|(\.\.\/)+(errors|operators|policies)\/)/,
      ],
      [/^src\/swarm\/vocabulary\//, /^(\.\/|\.\.\/\.\.\/errors\/)/],
    ]
    const foreign = allowed.flatMap(([room, may]) =>
      sources
        .filter(({ path }) => room.test(path))
        .flatMap(({ path, text }) =>
          imports(text)
            .filter((from) => !may.test(from))
            .map((from) => `${path}: ${from}`),
        ),
    )
    expect(foreign).toEqual([])
  })
  it('has no import of its own front door', () => {
    expect(places(/^src\/(?!index)/, /from '(\.\.?\/)+index\.ts'/, 'import the file itself')).toEqual([])
  })
  it('has behaviours without state of their own: no let, no subscribe, no class, no timer', () => {
    const behaviours = /^src\/swarm\/behaviours\/\w+\/\w+Behaviour\.ts/
    expect(places(behaviours, /\b(let|class)\s|\.subscribe\(/, 'a behaviour is one pipe')).toEqual([])
  })
  it('is typed: no any', () => {
    expect(places(/^src\//, /(:\s*any\b|<any>|\bas any\b)/, 'say what it is')).toEqual([])
  })
  it('exposes no Subject but command$', () => {
    const doors = /^src\/(index|swarm\/createSwarm|\w+\/index)\.ts/
    expect(places(doors, /(?<!command)\$: Subject</, 'hand out an Observable')).toEqual([])
  })
})
