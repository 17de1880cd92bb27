import type { ConfigProblem } from '../../errors/errors.ts'
import type { Fault } from './fault.ts'

/**
 * Which nodes a fault names that there are not.
 *
 * @param at    Where the fault stands, as one would write it: `faults[2].fault`.
 * @param names Those there are.
 */
export function faultProblems(at: string, fault: Fault, names: ReadonlySet<string>): readonly ConfigProblem[] {
  return mentioned(fault)
    .filter(({ name }) => !names.has(name))
    .map(({ path, name }) => ({ path: `${at}.${path}`, message: `there is no node ${name}` }))
}

function mentioned(fault: Fault): readonly { readonly path: string; readonly name: string }[] {
  switch (fault.type) {
    case 'partition':
      return fault.groups.flatMap((group, i) => group.map((name, j) => ({ path: `groups[${i}][${j}]`, name })))
    case 'block':
    case 'unblock':
    case 'link':
      return [
        { path: 'from', name: fault.from },
        { path: 'to', name: fault.to },
      ]
    case 'heal':
      return []
    default:
      return [{ path: 'node', name: fault.node }]
  }
}
