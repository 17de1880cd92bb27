import { NEVER } from 'rxjs'
import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import { virtualDate } from '../../testing/simulation/virtualDate.ts'
import type { RecordedLine, Recording } from './readRecording.ts'
import { Replayer } from './replayer.ts'

/** The lines of a recording as they would be if every timer had gone off when it was due. */
export function timely(recording: Recording, use: readonly AnyModule[]): readonly RecordedLine[] {
  const modules = use.map(({ name, commands, state, behaviour }): AnyModule => ({
    name,
    commands,
    ...(state === undefined ? {} : { state }),
    behaviour,
    ports: () => NEVER,
  }))
  const lines: RecordedLine[] = []
  const replayer = new Replayer(recording, modules, { use })
  virtualDate(
    () => replayer.clock.now(),
    () => replayer.run(true, (body) => void lines.push(JSON.parse(`${body}]`) as RecordedLine)),
  )
  return lines
}
