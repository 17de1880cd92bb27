import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { networkEffects } from '../../../src/observability/metrics/networkEffects.ts'
import { workEffects } from '../../../src/observability/metrics/workEffects.ts'

/** Answers of commands, which are counted as such, and changes that a gauge or nothing but the type tells. */
const uncounted = new Set(
  `access:blocked access:explained access:reported address:listed address:ranked chain:listed chain:measured
  connections:dialed connections:hung-up connections:listed connections:listening connections:unlistened
  discovery:listed discovery:switched explain:explained explain:explained-self gossipsub:joined gossipsub:left
  gossipsub:listed gossipsub:peer-joined gossipsub:peer-left identify:identified kad:mode-changed kad:mode-failed
  keep-alive:listed peer:updated reachability:changed reachability:reported relay:found relay:listed
  rendezvous:changed rendezvous:store-failed xauth:confirmed xauth:renewals-done xauth:trust-changed
  xstream:approval-failed`.split(/\s+/),
)

/** Texts of the same form in the sources of behaviours that are no events of theirs. */
const elsewhere =
  /^(node|rxswarm|command|policy|behaviour|swarm|transport|connection|reducer|subscriber):|^chain:crashed$|^peer:(add|connect|disconnect|discovery|identify|reconnect-failure|update)$|^audit:(opened|signed)$/

it('every event of every behaviour changes a metric, or was decided to change none but the count of its type', () => {
  const files = [...globSync('src/swarm/behaviours/**/*.ts'), 'src/security/audit/auditEvent.ts']
  const types = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/'([a-z-]+:[a-z-]+)'/g)].map(([, type]) => type!),
  )
  const told = [...new Set(types)].filter((type) => !elsewhere.test(type)).toSorted()
  const counted = Object.keys({ ...networkEffects, ...workEffects }).filter((type) => !elsewhere.test(type))
  expect([...counted, ...uncounted].toSorted()).toEqual(told)
})
