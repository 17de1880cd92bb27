import { ignoreElements } from 'rxjs'
import type { Behaviour } from '../../swarm/vocabulary/behaviour.ts'

/** Tracing only watches: it answers nothing and says nothing, for as long as the swarm runs. */
export const tracingBehaviour: Behaviour<never, never, void> = ({ command$ }) => command$.pipe(ignoreElements())
