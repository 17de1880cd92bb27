import { spawn, spawnSync } from 'node:child_process'

/** Whether this process may make a network namespace of its own: as root on Linux it may. */
export const mayUnshare = process.platform === 'linux' && spawnSync('unshare', ['-n', 'true']).status === 0

/** How long a program in a namespace may take. @unit milliseconds */
const PATIENCE_MS = 40_000

/** What a program in a namespace came to. */
export interface InNamespace {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program of this folder alone on a network with nothing but a loopback, so that nobody else hears its multicasts. */
export function inNamespace(file: string, ...args: readonly string[]): Promise<InNamespace> {
  const path = new URL(file, import.meta.url).pathname
  const script = 'ip link set lo up && exec "$@"'
  const program = [process.execPath, '--conditions=@rxswarm/source', path, ...args]
  const child = spawn('unshare', ['-n', 'sh', '-c', script, 'sh', ...program], { timeout: PATIENCE_MS })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
