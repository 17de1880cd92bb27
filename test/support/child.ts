import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { PATIENCE_MS } from './wait.ts'

/** A script of this folder that runs in a process of its own. */
export interface Child extends AsyncDisposable {
  /** What it prints next, which is JSON. */
  said<T>(): Promise<T>
  /** How it ended: its code and everything that it wrote to stderr. */
  ended(): Promise<{ readonly code: number | null; readonly errors: string }>
  /** Sends it a signal. */
  kill(signal: NodeJS.Signals): void
}

/** Starts a script of this folder under the Node that runs the tests. */
export function startChild(script: string, ...args: readonly string[]): Child {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@rxswarm/source', path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const exited = exit(child)
  return {
    async said<T>() {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`${script} ended without a word: ${errors}`)
      return JSON.parse(value) as T
    },
    ended: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
      const code = await exited
      clearTimeout(timer)
      return { code, errors }
    },
    kill: (signal) => void child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function exit(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}
