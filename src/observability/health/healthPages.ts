import type { CoreState } from '../../swarm/state.ts'
import type { Page, Probed } from '../../swarm/vocabulary/probe.ts'
import { reportOf } from './healthState.ts'
import { healthAnswer, type HealthQuestion } from './healthText.ts'
import type { HealthReport, HealthState } from './healthVocabulary.ts'

const PAGES: readonly (readonly [path: string, question: HealthQuestion, title: string])[] = [
  ['/livez', 'livez', 'Whether the node is not beyond help'],
  ['/healthz', 'livez', 'The same'],
  ['/readyz', 'readyz', 'Whether the node can be sent something'],
  ['/startupz', 'startupz', 'Whether the node has started'],
]

/** The pages of health: 200 or 503, one line for each check; JSON for whoever accepts it rather than text. */
export function healthPages(probed: Probed): readonly Page[] {
  return PAGES.map(([path, question, title]) => ({
    path,
    title,
    answer({ headers, url = '' }, response) {
      const asked = new URLSearchParams(url.split('?', 2)[1] ?? '')
      const { isOk, text, json } = healthAnswer(question, reportNow(probed.state()), new Set(asked.getAll('exclude')))
      const isJson = wantsJson(headers.accept)
      response.writeHead(isOk ? 200 : 503, {
        'content-type': isJson ? 'application/json' : 'text/plain; charset=utf-8',
        vary: 'accept',
      })
      response.end(isJson ? json : text)
    },
  }))
}

/** What is known, and what can be seen without asking anybody. */
function reportNow(state: CoreState): HealthReport {
  const report = reportOf((state as CoreState & { readonly health: HealthState }).health)
  const trouble = state.troubled.get('health')
  const seen = [
    state.phase === 'running' ? undefined : (['running', `the swarm is ${state.phase}`] as const),
    trouble === undefined ? undefined : (['health', `nothing is checked: the behaviour is ${trouble}`] as const),
  ]
  const checks = new Map(report.checks.map((check) => [check.check, check]))
  for (const one of seen) {
    if (one === undefined) continue
    const [check, reason] = one
    checks.set(check, { check, status: 'failed', affects: 'readiness', reason, since: checks.get(check)?.since ?? 0 })
  }
  return { ...report, checks: [...checks.values()] }
}

function wantsJson(accept: string | undefined): boolean {
  const types = (accept ?? '').split(',').map((type) => type.split(';', 1)[0]!.trim().toLowerCase())
  const json = types.indexOf('application/json')
  const text = types.findIndex((type) => type === 'text/plain' || type === 'text/html')
  return json >= 0 && (text < 0 || json < text)
}
