import type { SimulatedSwarm } from './simulatedNetwork.ts'
import type { VirtualMachine } from './virtualMachine.ts'

/**
 * A machine as its user holds it.
 *
 * @param within Runs user code in virtual time.
 */
export function swarmOf(
  machine: VirtualMachine,
  within: (body: () => void) => void,
): SimulatedSwarm<readonly unknown[]> {
  const { name, command$, event$, state$ } = machine
  const swarm = {
    name,
    self: name,
    command$,
    event$,
    state$,
    get addresses() {
      return machine.node?.addresses ?? []
    },
    state: () => machine.state(),
    execute: (command: never) => machine.execute(command),
    crash: () => within(() => machine.crash()),
    restart: () => within(() => machine.restart()),
    stop: ({ drainMs }: { readonly drainMs?: number } = {}) => within(() => machine.stop(drainMs)),
  }
  return swarm as unknown as SimulatedSwarm<readonly unknown[]> // the wires carry any module's commands
}
