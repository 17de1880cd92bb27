import { spawn } from 'node:child_process'
import type { Ran } from './runExample.ts'

/** Runs the command line as a user does. */
export function runCli(...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, ['src/cli/rxswarm.ts', ...args])
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
