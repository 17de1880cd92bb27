import { defer, merge } from 'rxjs'
import { ofType } from '../../operators/ofType.ts'
import { perform } from '../../swarm/perform.ts'
import type { Behaviour } from '../../swarm/vocabulary/behaviour.ts'
import { checkProfilingCommand as check } from './checkProfilingCommand.ts'
import type { ProfilingCommand, ProfilingEvent, ProfilingPorts } from './profilingVocabulary.ts'

/**
 * Takes profiles when it is asked.
 *
 * ```marble
 * command$  -c-----
 * port      -s--t|-
 * said      -s--td-
 * ```
 *
 * @param maxDurationMs Longest duration that can be asked for. @unit milliseconds
 * @shape  Says that a profile begins, then what came of it. A command that is cancelled ends its profile.
 * @errors `InvalidCommandError`, and those of the ports, are `command:failed`.
 * @source ours.
 */
export const profilingBehaviour =
  (maxDurationMs: number): Behaviour<ProfilingCommand, ProfilingEvent, ProfilingPorts> =>
  ({ command$, cancel$, ports }) =>
    merge(
      command$.pipe(
        ofType('profiling/cpu'),
        perform(
          cancel$,
          (command) => defer(() => ports.cpu(check(command, maxDurationMs))),
          (said): ProfilingEvent =>
            'blocks' in said ? { type: 'profiling:started', ...said } : { type: 'profiling:cpu-taken', ...said },
        ),
      ),
      command$.pipe(
        ofType('profiling/heap'),
        perform(
          cancel$,
          (command) => defer(() => ports.heap(check(command, maxDurationMs).path)),
          (said): ProfilingEvent =>
            'blocks' in said ? { type: 'profiling:started', ...said } : { type: 'profiling:heap-taken', ...said },
        ),
      ),
      command$.pipe(
        ofType('profiling/loop'),
        perform(
          cancel$,
          (command) => defer(() => ports.loop(check(command, maxDurationMs))),
          (delay): ProfilingEvent => ({ type: 'profiling:loop-measured', ...delay }),
        ),
      ),
      command$.pipe(
        ofType('profiling/timing'),
        perform(
          cancel$,
          (command) => defer(() => ports.timing(check(command, maxDurationMs).durationMs)),
          (said): ProfilingEvent =>
            'blocks' in said
              ? { type: 'profiling:started', ...said }
              : { type: 'profiling:timing-taken', report: said },
        ),
      ),
    )
