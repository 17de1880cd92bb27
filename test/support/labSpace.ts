import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

/** How long a command that sets something up may take. @unit milliseconds */
const COMMAND_WITHIN_MS = 10_000

/**
 * A network namespace. Nothing but a process holds it, which ends when its standard input does: it goes with the tests,
 * even when these are killed, and its interfaces, addresses and rules go with it.
 */
export interface LabSpace extends AsyncDisposable {
  /** What `ip … netns` takes for it. */
  readonly pid: number
  /** Runs a command inside; resolves with what it printed. @errors when it fails, with what it wrote to stderr */
  run(command: string, ...args: readonly string[]): Promise<string>
  /** Sets a switch of the kernel, below `/proc/sys`. */
  set(path: string, value: number): Promise<void>
  /** Loads rules. */
  nft(rules: string): Promise<string>
  /** What a process has to be started with to run inside: a command and its first arguments. */
  readonly enter: readonly [command: string, ...args: readonly string[]]
}

/** Makes a namespace with its loopback up, without IPv6, in which packets are not forwarded. */
export async function makeSpace(): Promise<LabSpace> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await holding(holder)
  const pid = holder.pid!
  const enter = ['nsenter', `--net=/proc/${pid}/ns/net`] as const
  const space: LabSpace = {
    pid,
    enter,
    run: (command, ...args) => run([...enter.slice(1), command, ...args]),
    set: async (path, value) => void (await space.run('sh', '-c', `echo ${value} > /proc/sys/${path}`)),
    nft: (rules) => run([...enter.slice(1), 'nft', '-f', '-'], rules),
    [Symbol.asyncDispose]: async () => {
      if (holder.exitCode !== null || holder.signalCode !== null) return
      holder.stdin.end()
      await once(holder, 'exit')
    },
  }
  // with IPv6, interfaces have addresses that nobody gave them
  for (const scope of ['all', 'default']) await space.set(`net/ipv6/conf/${scope}/disable_ipv6`, 1)
  await space.run('ip', 'link', 'set', 'lo', 'up')
  return space
}

async function holding(holder: ChildProcessByStdio<Writable, Readable, null>): Promise<void> {
  const ended = once(holder, 'exit').then(() => {
    throw new Error('unshare --net: no namespace could be made')
  })
  await Promise.race([once(holder.stdout, 'data'), ended])
  ended.catch(() => undefined)
}

/** Runs `nsenter` with these arguments. */
function run(args: readonly string[], input = ''): Promise<string> {
  const child = spawn('nsenter', args, { stdio: 'pipe', timeout: COMMAND_WITHIN_MS, killSignal: 'SIGKILL' })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  child.stdin.on('error', () => undefined) // it may end without reading
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(stdout)
      else reject(new Error(`${args.slice(1).join(' ')}: exit ${code}: ${stderr.trim()}\n${input}`))
    })
  })
}
