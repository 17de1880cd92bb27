import {
  BehaviourCrashedError,
  DeadlineError,
  OverloadedError,
  StoppedError,
  UnexpectedError,
  UnknownCommandError,
} from '../errors/errors.ts'
import type { Entry } from './ledger.ts'
import { contextOf, type AnyCommand } from './vocabulary/command.ts'

/** What a swarm says of each thing that goes wrong in its pipeline: what happened, to whom, and what to do. */
export const mishaps = {
  stopping: (command: AnyCommand) =>
    new StoppedError(`${command.type}: the swarm takes no more commands, it is stopping`, contextOf(command)),

  stopped: (command: AnyCommand) =>
    new StoppedError(`${command.type}: the swarm stopped before it settled`, contextOf(command)),

  unknown: (command: AnyCommand) =>
    new UnknownCommandError(
      `${command.type}: no behaviour in use answers it; add its module to use: […]`,
      contextOf(command),
    ),

  answererEnded: (command: AnyCommand, behaviour: string) =>
    new BehaviourCrashedError(`${command.type}: behaviour ${behaviour} has ended`, {
      ...contextOf(command),
      behaviour,
    }),

  gaveUpPlace: (command: AnyCommand, limit: number) =>
    new OverloadedError(
      `${command.type} ${command.id}: gave up its place, as the newest of the most that wait; ${limit} commands are in flight; try again later`,
      { ...contextOf(command), limit },
    ),

  late: ({ command, deadlineMs, delivered }: Pick<Entry<unknown>, 'command' | 'deadlineMs' | 'delivered'>) => {
    const where = delivered
      ? ''
      : ', and never reached its behaviour: an operator in the command chain held or dropped it, it waited in its lane, or the behaviour was down'
    const message = `${command.type}: not settled within ${deadlineMs} ms${where}`
    return new DeadlineError(message, { ...contextOf(command), deadlineMs })
  },

  answeringThrew: (command: AnyCommand, event: string, cause: unknown) =>
    new UnexpectedError(`${command.type}: answering ${event} threw: ${String(cause)}`, { cause }),

  admissionThrew: (command: AnyCommand, behaviour: string, cause: unknown) =>
    new UnexpectedError(`${command.type}: ${behaviour} could not decide over it: ${String(cause)}`, {
      ...contextOf(command),
      behaviour,
      cause,
    }),

  crashed: (behaviour: string, cause: unknown) =>
    new BehaviourCrashedError(`behaviour ${behaviour} crashed: ${String(cause)}`, { cause, behaviour }),

  ended: (behaviour: string) => new BehaviourCrashedError(`behaviour ${behaviour} has ended`, { behaviour }),

  commandChainBroke: (cause: unknown, at: AnyCommand | undefined) =>
    new UnexpectedError(`the command chain broke${at === undefined ? '' : ` at ${at.type}`}: ${String(cause)}`, {
      cause,
      ...(at === undefined ? {} : contextOf(at)),
    }),

  eventChainBroke: (cause: unknown, at: string | undefined) =>
    new UnexpectedError(`the event chain broke${at === undefined ? '' : ` at ${at}`}: ${String(cause)}`, { cause }),

  subscriberThrew: (cause: unknown) =>
    new UnexpectedError(`a subscriber of the swarm threw: ${String(cause)}`, { cause }),
}
