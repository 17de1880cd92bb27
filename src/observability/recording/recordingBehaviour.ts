import { defer, merge } from 'rxjs'
import { InvalidCommandError } from '../../errors/errors.ts'
import { ofType } from '../../operators/ofType.ts'
import { problemsIn } from '../../errors/problemsIn.ts'
import { perform } from '../../swarm/perform.ts'
import type { Behaviour } from '../../swarm/vocabulary/behaviour.ts'
import { contextOf } from '../../swarm/vocabulary/command.ts'
import { fileSchema } from './recordingOptions.ts'
import type { RecordingCommand, RecordingEvent, RecordingPorts, StartRecording } from './recordingVocabulary.ts'

/**
 * Begins and ends recordings, and says how the file is doing.
 *
 * ```marble
 * command$  -s----e---
 * file      ----l-----
 * said      -bd-l-rd--
 * ```
 *
 * @shape  One recording at a time.
 * @errors A file that can't be written is `recording:failed`; the swarm goes on. Of `recording.start` it is
 *         `command:failed`.
 * @source ours.
 */
export const recordingBehaviour: Behaviour<RecordingCommand, RecordingEvent, RecordingPorts> = ({
  command$,
  cancel$,
  ports,
}) =>
  merge(
    ports.event$,
    command$.pipe(
      ofType('recording/start'),
      perform(
        cancel$,
        (command) => defer(() => ports.start(checked(command))),
        ({ path }): RecordingEvent => ({ type: 'recording:started', path }),
      ),
    ),
    command$.pipe(
      ofType('recording/stop'),
      perform(
        cancel$,
        () => ports.stop(),
        (report): RecordingEvent => ({ type: 'recording:stopped', report }),
      ),
    ),
  )

function checked(command: StartRecording) {
  const { value, problems } = problemsIn('file', fileSchema, command.file)
  const [problem] = problems
  if (problem === undefined) return value
  const message = `${problem.path}: ${problem.message}`
  throw new InvalidCommandError(message, { ...contextOf(command), field: problem.path })
}
