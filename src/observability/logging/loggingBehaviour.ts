import { merge, of } from 'rxjs'
import { perform } from '../../swarm/perform.ts'
import type { Behaviour } from '../../swarm/vocabulary/behaviour.ts'
import type { LoggingCommand, LoggingEvent, LoggingPorts } from './loggingVocabulary.ts'

/**
 * Changes levels when it is asked, and says what the log says of itself.
 *
 * ```marble
 * log   -l----
 * said  -l----
 * ```
 *
 * @shape  Events are written where they are said, by a probe, and not here: so the last one is written too.
 * @errors A level or an area that is none is `command:failed`.
 * @source ours.
 */
export const loggingBehaviour: Behaviour<LoggingCommand, LoggingEvent, LoggingPorts> = ({ command$, cancel$, ports }) =>
  merge(
    ports.event$,
    command$.pipe(
      perform(
        cancel$,
        ({ area, level }) => of(ports.setLevel({ area, level })),
        (changed): LoggingEvent => ({ type: 'logging:level-changed', ...changed }),
      ),
    ),
  )
