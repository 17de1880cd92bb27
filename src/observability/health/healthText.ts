import type { CheckState, HealthAffects, HealthReport } from './healthVocabulary.ts'

/** Which question is asked. */
export type HealthQuestion = 'livez' | 'readyz' | 'startupz'

/** Which checks answer a question: who is beyond help, or has not started, is not ready either. */
const AFFECTING: Readonly<Record<HealthQuestion, readonly HealthAffects[]>> = {
  livez: ['liveness'],
  readyz: ['startup', 'liveness', 'readiness'],
  startupz: ['startup'],
}

/** The answer to a question, for people and for programs. */
export interface HealthAnswer {
  readonly isOk: boolean
  /** One line for each check, as Kubernetes has them. */
  readonly text: string
  readonly json: string
}

/**
 * Answers a question.
 *
 * @param excluded Names of checks that are not asked.
 * @source Kubernetes API health endpoints: `[+]ping ok`, `[-]ping failed: reason`, `?exclude=ping`
 */
export function healthAnswer(
  question: HealthQuestion,
  report: HealthReport,
  excluded: ReadonlySet<string>,
): HealthAnswer {
  const checks = report.checks.filter(
    ({ check, affects }) => AFFECTING[question].includes(affects) && !excluded.has(check),
  )
  const isOk = checks.length > 0 ? checks.every((check) => passes(check, question)) : question === 'livez'
  const lines = [...checks.map(line), `${question} check ${isOk ? 'passed' : 'failed'}`]
  const json = {
    status: isOk ? 'ok' : 'failed',
    checks: checks.map(({ check, status, reason, since }) => ({
      check,
      status,
      ...(reason === undefined ? {} : { reason }),
      since,
    })),
    ...(question === 'readyz' ? { peers: report.peers, morePeers: report.morePeers } : {}),
  }
  return { isOk, text: `${lines.join('\n')}\n`, json: `${JSON.stringify(json)}\n` }
}

function passes({ status }: CheckState, question: HealthQuestion): boolean {
  return status === 'ok' || (status === 'pending' && question === 'livez')
}

function line({ check, status, reason }: { readonly check: string } & CheckState): string {
  if (status === 'ok') return `[+]${check} ok${reason === undefined ? '' : `: ${oneLine(reason)}`}`
  return `[-]${check} ${status}: ${oneLine(reason ?? 'no reason given')}`
}

/** A reason can't pretend to be another check. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ')
}
