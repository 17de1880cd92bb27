/** How much a line matters, from the least; `silent` is no line at all. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** How much a line matters. `silent` as a threshold lets nothing through; of an event, it is never written. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** A level at which a line can be written. */
export type WrittenLevel = Exclude<LogLevel, 'silent'>

/** The place of a level among all, from 1; `silent` is above every line. */
export function rankOf(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level) + 1
}
