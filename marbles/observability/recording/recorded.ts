import type { AnyModule } from 'rxswarm'
import { recording, type RecordingOptions } from 'rxswarm/observability'
import { fakePorts, fakeSwarm, inVirtualTime, type FakeSwarmOptions, type WiredSwarm } from 'rxswarm/testing'
import { NEVER } from 'rxjs'
import type { RunHelpers } from 'rxjs/testing'

/** The recording of a swarm over fake ports, to which a scenario happens in virtual time. */
export function recorded(
  modules: readonly AnyModule[],
  ports: Readonly<Record<string, unknown>>,
  scenario: (swarm: WiredSwarm, run: RunHelpers) => void,
  options: FakeSwarmOptions & { readonly recording?: RecordingOptions } = {},
): string {
  let text = ''
  const { recording: own, ...more } = options
  const onLine = (line: string) => void (text += line)
  inVirtualTime((run) => {
    const swarm = fakeSwarm([...modules, recording({ onLine, ...own })], {
      ports: { ...ports, recording: fakePorts(() => NEVER) },
      ...more,
    })
    scenario(swarm, run)
    run.flush()
    swarm.drain(0).subscribe((undrained) => swarm.close(undrained))
  })
  return text
}
