// Everything that must hold, one after the other; the last line says how much of it does.

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Totals {
  readonly passed: number
  readonly failed: number
}

/** What vitest tells of a run. */
interface Report {
  readonly numPassedTests?: number
  readonly numFailedTests?: number
  readonly numPendingTests?: number
  readonly testResults?: readonly { readonly assertionResults: readonly { readonly fullName: string }[] }[]
}

const scratch = mkdtempSync(join(tmpdir(), 'rxswarm-'))

/** Runs a command of node_modules/.bin and lets it print. */
const run = (command: string, ...args: readonly string[]) =>
  new Promise<boolean>((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' })
    child.on('error', () => resolve(false))
    child.on('exit', (code) => resolve(code === 0))
  })

/** A check that is one thing: it holds or not. */
async function check(name: string, command: string, ...args: readonly string[]): Promise<Totals> {
  console.log(`\n── ${name}`)
  const holds = await run(command, ...args)
  if (!holds) console.log(`── ${name}: failed`)
  return holds ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

/** Why tests were skipped: their titles say so. */
function reasonsIn({ testResults = [] }: Report): string {
  const titles = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ fullName }) => fullName))
  const reasons = titles.flatMap((title) => /\(skipped: (?<why>.*?)\)/.exec(title)?.groups?.['why'] ?? [])
  return [...new Set(reasons)].join('; ')
}

/** A vitest project: as many things as it has tests. A run that breaks off counts as one failure at least. */
async function tests(project: string): Promise<Totals> {
  console.log(`\n── ${project}`)
  const report = join(scratch, `${project}.json`)
  const holds = await run(
    'vitest',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
  )
  try {
    const told = JSON.parse(readFileSync(report, 'utf8')) as Report
    const { numPassedTests, numFailedTests, numPendingTests = 0 } = told
    if (numPendingTests > 0) console.log(`── ${project}: ${numPendingTests} skipped: ${reasonsIn(told)}`)
    const failed = numFailedTests ?? 0
    return { passed: numPassedTests ?? 0, failed: holds ? failed : Math.max(failed, 1) }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

const all = [
  await check('types', 'tsc'),
  await check('lint', 'oxlint', '--type-aware', '--deny-warnings'),
  await check('format', 'prettier', '--check', '--log-level=warn', '.'),
  await check('build', 'npm', 'run', '-s', 'build'),
  await check('package', 'publint', '--strict'),
  await check('public API', 'node', 'test/support/apiReport.ts'),
  await tests('marbles'),
  await tests('sockets'),
  await tests('lab'),
]
rmSync(scratch, { recursive: true, force: true })
const sum = (of: keyof Totals) => all.reduce((total, one) => total + one[of], 0)
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
process.exitCode = sum('failed') > 0 ? 1 : 0
