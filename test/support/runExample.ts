import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a program came to. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How to run a program: what it reads, and when to interrupt it. */
export interface RunOptions {
  /** Standard input; none by default. */
  readonly input?: string | Uint8Array
  /** Sends SIGINT as soon as standard output contains this. */
  readonly interruptAt?: string
}

/** Runs a program of `examples/` as a user does. Fails when it leaves something in the folder for what is temporary. */
export function runExample(path: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ran> {
  const { input, interruptAt } = options
  const scratch = mkdtempSync(join(tmpdir(), 'rxswarm-example-'))
  const env = { ...process.env, TMPDIR: scratch }
  const child = spawn(process.execPath, ['--conditions=@rxswarm/source', `examples/${path}`, ...args], { env })
  let [stdout, stderr] = ['', '']
  let interrupted = false
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
    if (interrupted || interruptAt === undefined || !stdout.includes(interruptAt)) return
    interrupted = true
    child.kill('SIGINT')
  })
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const left = readdirSync(scratch, { recursive: true })
      rmSync(scratch, { recursive: true })
      if (left.length > 0 && code === 0) reject(new Error(`examples/${path} leaves ${left.join(', ')} behind`))
      else resolve({ code, stdout, stderr })
    })
  })
}
