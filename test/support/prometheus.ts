import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from './wait.ts'

/** Where the files for Prometheus are. */
export const SHIPPED = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url))

/** Why Prometheus can not be run here; undefined when it can. */
export function prometheusLacks(): string | undefined {
  const missing = ['prometheus', 'promtool'].filter((program) => spawnSync(program, ['--version']).status !== 0)
  return missing.length === 0 ? undefined : `no ${missing.join(' and no ')} in the path`
}

/** Runs promtool; what it wrote, and its exit code. */
export function promtool(args: readonly string[], input = ''): { readonly code: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, {
    cwd: SHIPPED,
    input,
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { code: status, text: stdout + stderr }
}

/** A series, and its values over time. @unit seconds */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (readonly [at: number, value: string])[]
}

/** A Prometheus that runs. */
export interface Prometheus extends AsyncDisposable {
  /** Asks its API. @errors with what it says when it says no */
  ask<T>(path: string, question?: Readonly<Record<string, string>>): Promise<T>
  /** The values of an expression over time. */
  range(expr: string, start: number, end: number): Promise<readonly Series[]>
  /** What it wrote to stderr. */
  readonly said: string
}

/** What {@link startPrometheus} is told. */
export interface PrometheusTargets {
  /** Hosts and ports of nodes, for the shipped job. */
  readonly targets: readonly string[]
  /** The same, for a job named `rxswarm-classic`. */
  readonly classic: readonly string[]
}

/** Runs Prometheus with the shipped files, every second instead of every 15, until it is disposed of. */
export async function startPrometheus({ targets, classic }: PrometheusTargets): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'rxswarm-prometheus-'))
  await cp(SHIPPED, folder, { recursive: true })
  const shipped = await readFile(join(folder, 'prometheus.yml'), 'utf8')
  const config = shipped.replaceAll('15s', '1s').replace('scrape_timeout: 10s', 'scrape_timeout: 1s')
  const job = `  - job_name: rxswarm-classic\n    static_configs: [{ targets: ${JSON.stringify(classic)} }]\n`
  await writeFile(join(folder, 'prometheus.yml'), config + job)
  await writeFile(join(folder, 'targets', 'rxswarm.yml'), JSON.stringify([{ targets, labels: {} }]))
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] } },
  )
  const exited = once(child, 'exit')
  const kill = () => void child.kill('SIGKILL')
  process.on('exit', kill)
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))

  const ask = async <T>(path: string, question: Readonly<Record<string, string>> = {}): Promise<T> => {
    const url = `http://${address}/api/v1/${path}?${new URLSearchParams(question).toString()}`
    const answer = (await (await fetch(url)).json()) as { status: string; error?: string; data: T }
    if (answer.status !== 'success') throw new Error(`${answer.error ?? answer.status}: ${JSON.stringify(question)}`)
    return answer.data
  }
  const running: Prometheus = {
    ask,
    range: async (expr, start, end) => {
      const question = { query: expr, start: String(start), end: String(end), step: '1' }
      return (await ask<{ readonly result: readonly Series[] }>('query_range', question)).result
    },
    get said() {
      return said
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await exited
      process.off('exit', kill)
      await rm(folder, { recursive: true })
    },
  }
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended: ${said}`)
      return (await fetch(`http://${address}/-/ready`).catch(() => undefined))?.ok === true
    })
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }
  return running
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
