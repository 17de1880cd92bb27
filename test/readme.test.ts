import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as rxswarm from 'rxswarm'
import * as operators from 'rxswarm/operators'
import * as policies from 'rxswarm/policies'
import * as security from 'rxswarm/security'
import * as streams from 'rxswarm/streams'
import * as testing from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { runExample } from './support/runExample.ts'

const readme = readFileSync('README.md', 'utf8')
const guides = globSync('docs/**/*.md').map((path) => ({ path, text: readFileSync(path, 'utf8') }))
const texts = [readme, ...guides.map(({ text }) => text)].join('\n')
const blocks = [...texts.matchAll(/```ts\n(?<code>.*?)```\n(?:\n```text\n(?<output>.*?)```)?/gs)].map(({ groups }) => ({
  path: /^\/\/ (?<path>\S+)\n/.exec(groups!['code']!)?.groups?.['path'] ?? '',
  code: groups!['code']!.replace(/^.*\n/, ''),
  output: groups!['output'],
}))

describe('the README', () => {
  it.each(blocks)('shows $path as it is', ({ path, code }) => {
    expect(readFileSync(path, 'utf8')).toBe(code)
  })
  const printing = blocks.filter(({ output }) => output !== undefined)
  it.each(printing)('says what $path prints', async ({ path, output }) => {
    const { code, stdout, stderr } = await runExample(path.replace('examples/', ''))
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: output, stderr: '' })
  })
  it('has programs that print, and tests', () => {
    expect(printing.length).toBeGreaterThan(0)
    expect(blocks.some(({ path }) => path.endsWith('.test.ts'))).toBe(true)
  })
  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)(?<path>[^)#]+)\)/g)].map(({ groups }) => groups!['path']!)
    expect(links.filter((path) => !existsSync(path))).toEqual([])
    for (const { path, text } of guides) {
      const own = [...text.matchAll(/\]\((?!https?:)(?<path>[^)#]+)\)/g)].map(({ groups }) => groups!['path']!)
      expect(own.filter((link) => !existsSync(join(dirname(path), link)))).toEqual([])
    }
    expect(guides.length).toBeGreaterThan(1)
  })
  it('names only errors, operators and policies that exist', () => {
    const doors: object = { ...rxswarm, ...operators, ...policies, ...security, ...streams, ...testing }
    const errors = [...readme.matchAll(/`(?<name>[A-Z]\w+Error)`/g)].map(({ groups }) => groups!['name']!)
    const calls = [...readme.matchAll(/^\| .*? \| `(?<name>\w+)\(/gm)].map(({ groups }) => groups!['name']!)
    const defaults = [...readme.matchAll(/`(?<name>[A-Z]+_POLICY)`/g)].map(({ groups }) => groups!['name']!)
    expect([...errors, ...calls, ...defaults].filter((name) => !(name in doors))).toEqual([])
    const thrown = Object.keys(rxswarm).filter((name) => name.endsWith('Error') && name !== 'SwarmError')
    expect(thrown.filter((name) => !errors.includes(name))).toEqual([])
    expect(defaults).toHaveLength(4)
    expect(errors.length).toBeGreaterThan(10)
    expect(calls.length).toBeGreaterThan(3)
  })
  it('has in the package the folder that docs/observe/deploy.md says is in it', () => {
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] }
    expect(files).toContain('deploy')
  })
  it('promises the versions of package.json', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>
    }
    expect(readme).toContain(`\`@chainsafe/libp2p-quic\` ${dependencies['@chainsafe/libp2p-quic']}`)
    expect(dependencies['libp2p']).toMatch(/^3\.3\./)
    expect(dependencies['rxjs']).toMatch(/^7\.8\./)
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })
})
