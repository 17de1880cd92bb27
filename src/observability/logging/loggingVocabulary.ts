import type { Observable } from 'rxjs'
import type { SwarmError } from '../../errors/errors.ts'
import type { Command } from '../../swarm/vocabulary/command.ts'
import type { LogLevel } from './logLevel.ts'

/** Change what is written of an area. */
export type SetLogLevel = Command<'logging/set-level', LogThreshold, LogThreshold>

/** What can be asked of logging. */
export type LoggingCommand = SetLogLevel

/** What is written of an area. */
export interface LogThreshold {
  /** Beginning of the types of its events, such as `gossipsub`; a component of libp2p, `libp2p:kad-dht`; all that begin so, `libp2p:*`; or `*` for all that are not named. */
  readonly area: string
  /** The least that is written. */
  readonly level: LogLevel
}

/** What logging says. */
export type LoggingEvent =
  | ({
      readonly type: 'logging:level-changed'
      readonly cause?: string
      /** What held for the area until now. */
      readonly before: LogLevel
    } & LogThreshold)
  /** Lines found no place, because the destination is slow or broken. @unit `count`: since it was last said */
  | { readonly type: 'logging:lost'; readonly count: number; readonly cause?: string }
  /** The destination can't be written to; it is tried again. */
  | { readonly type: 'logging:failed'; readonly error: SwarmError; readonly cause?: string }

/** What logging may call. */
export interface LoggingPorts {
  /** Changes what is written, at once. @errors `InvalidCommandError`, `OverloadedError` */
  setLevel(threshold: LogThreshold): LogThreshold & { readonly before: LogLevel }
  /** What the log says of itself. */
  readonly event$: Observable<LoggingEvent>
}
