import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runExample } from './support/runExample.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'rxswarm-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A file of these bytes. */
function file(content: string | Uint8Array): string {
  const path = join(folder, String(Math.trunc(performance.now() * 1_000)))
  writeFileSync(path, content)
  return path
}

const lastLine = (stdout: string): unknown => JSON.parse(stdout.trimEnd().split('\n').at(-1)!)

describe('examples/publish-lines', () => {
  it.each(['quic', 'tcp', 'memory'])('publishes the README to all over %s', async (transport) => {
    const lines = readFileSync('README.md', 'utf8').trimEnd().split('\n').length
    const { code, stdout, stderr } = await runExample('publish-lines.ts', ['--json', '--transport', transport])
    expect(stderr).toBe('')
    const elapsedMs: unknown = expect.any(Number)
    const report = { nodes: 3, transport, lines, delivered: lines * 2, missing: 0, dhtVerified: true, elapsedMs }
    expect(lastLine(stdout)).toEqual(report)
    expect(code).toBe(0)
  })
  it('shows what happens as plain lines when it is not on a terminal', async () => {
    const { stdout } = await runExample('publish-lines.ts', ['--input', file('one\ntwo\n')])
    expect(stdout).toMatch(/^node 1 +gossipsub:joined +lines$/m)
    expect(stdout).toMatch(/^node 0 +kad:stored +\/lines\/whole on node \d/m)
    expect(stdout).toMatch(/4 delivered, 0 missing, the hash in the DHT agrees, \d+ ms\n$/)
    expect(stdout).not.toContain('\u001b')
  })
  it.each([
    ['nothing', '', 0],
    ['no newline at the end', 'a\nb', 2],
    ['equal and empty lines', 'a\na\n\n\na\n', 5],
    ['bytes that are no text', new Uint8Array([0, 255, 10, 13, 10, 200]), 3],
    ['a line of half a megabyte', `${'x'.repeat(500_000)}\nend\n`, 2],
  ])('takes %s', async (_name, content, lines) => {
    const { code, stdout } = await runExample('publish-lines.ts', ['--json', '--input', file(content)])
    expect(lastLine(stdout)).toMatchObject({ lines, delivered: lines * 2, missing: 0, dhtVerified: true })
    expect(code).toBe(0)
  })
  it('reads standard input, and takes more nodes', async () => {
    const args = ['--json', '--input', '-', '--nodes', '6']
    const { code, stdout } = await runExample('publish-lines.ts', args, { input: 'a\nb\nc\n' })
    expect(lastLine(stdout)).toMatchObject({ nodes: 6, lines: 3, delivered: 15, missing: 0, dhtVerified: true })
    expect(code).toBe(0)
  })
  it('fails with a word of why when a line is too long for a message', async () => {
    const { code, stderr } = await runExample('publish-lines.ts', ['--input', file('x'.repeat(1_100_000))])
    expect(stderr).toMatch(/^InvalidCommandError: data: 1100004 bytes, more than/)
    expect(code).toBe(1)
  })
  it('ends at Ctrl-C, in the middle, with everything closed', async () => {
    const content = 'line\n'.repeat(20_000)
    const { code, stderr } = await runExample('publish-lines.ts', ['--input', file(content)], {
      interruptAt: 'gossipsub:message',
    })
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
  })
  it.each([
    [['--nodes', '1'], '--nodes must be'],
    [['--nodes', 'many'], '--nodes must be'],
    [['--transport', 'pigeon'], '--transport must be'],
    [['--input', '/does/not/exist'], 'cannot read /does/not/exist'],
    [['--colour'], "Unknown option '--colour'"],
  ])('refuses %j', async (args, why) => {
    const { code, stderr } = await runExample('publish-lines.ts', args)
    expect(stderr).toContain(why)
    expect(code).toBe(2)
  })
  it('has a help text', async () => {
    const { code, stdout } = await runExample('publish-lines.ts', ['--help'])
    expect(stdout).toContain('--transport NAME')
    expect(code).toBe(0)
  })
})

describe('examples/who', () => {
  it('asks a peer for its nick', async () => {
    expect(await runExample('who/run.ts')).toEqual({ code: 0, stdout: 'bob\n', stderr: '' })
  })
})

describe('examples/security', () => {
  it('two-organisations: trusts two owners, refuses a third, and cuts one off', async () => {
    expect(await runExample('security/two-organisations.ts')).toEqual({
      code: 0,
      stdout: [
        'ann: welcome',
        'bea: welcome',
        'eve: refused, untrusted owner',
        'tea 3, coffee 4: heard by ann and bea',
        'B is revoked: 1 connection closed',
        'bea: refused, revoked',
        'tea 5, coffee 6: heard by ann',
        'audit log: intact, 0 lines unsigned, 0 problems',
        '',
      ].join('\n'),
      stderr: '',
    })
  })
  it('live-policy: shows what new rules would do, puts them in force, and limits a rate', async () => {
    expect(await runExample('security/live-policy.ts')).toEqual({
      code: 0,
      stdout: [
        'rule                now                 then                what                times',
        'no-pings-of-guests  allow               deny                open                3',
        'no-secrets          allow               deny                subscribe           1',
        'would deny 4, would allow 0',
        '2 rules in force, 0 connections closed',
        'guest pings: no, friend pings: yes',
        'secret/plans: AccessDeniedError',
        "friend's ping 1: yes",
        "friend's ping 2: yes",
        '  over few-pings: friend',
        "friend's ping 3: no",
        '',
      ].join('\n'),
      stderr: '',
    })
  })
  it('send-file: goes on after a cut from what the receiver has', async () => {
    expect(await runExample('security/send-file.ts')).toEqual({
      code: 0,
      stdout: [
        '25 % of the file is there',
        '50 % of the file is there',
        'StreamError, going on from where it was',
        '75 % of the file is there',
        '100 % of the file is there',
        'whole, the SHA-256 agrees; the last connection began at 50 %',
        '',
      ].join('\n'),
      stderr: '',
    })
  })
  it('send-file: takes a file of yours, also one that is empty', async () => {
    const own = await runExample('security/send-file.ts', ['--file', file(new Uint8Array(3_000_000).fill(7))])
    expect(own.stdout).toMatch(/whole, the SHA-256 agrees; the last connection began at \d+ %\n$/)
    const empty = await runExample('security/send-file.ts', ['--file', file('')])
    expect(empty).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('examples/finding/discover', () => {
  it('finds everybody from one address, and ends by itself', async () => {
    const { code, stdout, stderr } = await runExample('finding/discover.ts')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^found a peer by bootstrap\n(found a peer by dht\n){3}/)
    expect(stdout).toMatch(/4 peers are known, and connected: 4\nthe first node walks no more\n$/)
    expect(code).toBe(0)
  })
})
