import { Observable, Subscription } from 'rxjs'
import { asSwarmError } from './perform.ts'
import { attemptsNow } from './probes.ts'
import type { AnyCommand } from './vocabulary/command.ts'
import type { Fact, Outcome } from './vocabulary/event.ts'

/** What {@link performTogether} does with a group of commands. */
export interface TogetherOptions<C extends AnyCommand, Result, F extends Fact> {
  /** Names the group of a command. */
  readonly groupOf: (command: C) => string
  /** Starts the work of a group; unsubscribing ends it. */
  readonly work: (group: string) => Observable<Result>
  /** Turns a result into a fact; `causes` is added. */
  readonly say: (result: Result) => F
  /** Said when a group's work has started. */
  readonly first: (group: string) => F
  /** Said when a group's work has ended. */
  readonly last: (group: string) => F
}

/**
 * Does the work of commands of one group once: the first command starts it, the last to be cancelled ends it.
 *
 * ```marble
 * command$  -a-b-------
 * work      -r-r-r-r-r-
 * cancel$   -----a-b---
 * said      -fr-r-rl---
 * ```
 *
 * @param cancel$ Ids of commands that leave their group.
 * @shape  Cold in, cold out. Each result is one fact for the whole group, with `causes`. Memory: one set of ids a group.
 * @errors When the work of a group fails or completes, so do its commands; the next one starts it again.
 * @source ours; RxJS `share` with the commands as subscribers.
 */
export function performTogether<C extends AnyCommand, Result, F extends Fact>(
  cancel$: Observable<string>,
  { groupOf, work, say, first, last }: TogetherOptions<C, Result, F>,
): (command$: Observable<C>) => Observable<F | Outcome> {
  interface Group {
    readonly name: string
    readonly members: Map<string, C>
    readonly task: Subscription
    causes: readonly string[]
    started: boolean
  }
  return (command$) =>
    new Observable((out) => {
      const groups = new Map<string, Group>()
      let ended = false
      const end = (group: Group, outcome?: (command: C) => Outcome) => {
        if (groups.get(group.name) !== group) return
        groups.delete(group.name)
        group.task.unsubscribe()
        if (group.started) out.next(last(group.name))
        if (outcome !== undefined) for (const command of group.members.values()) out.next(outcome(command))
        if (ended && groups.size === 0) out.complete()
      }
      const fail = (group: Group, error: unknown) =>
        end(group, (command) => {
          const { id: cause, type } = command
          return { type: 'command:failed', cause, command: type, error: asSwarmError(error, command) }
        })
      const enter = (group: Group, command: C) => {
        group.members.set(command.id, command)
        group.causes = [...group.members.keys()]
      }
      const open = (name: string, command: C) => {
        const group: Group = { name, members: new Map(), task: new Subscription(), causes: [], started: false }
        groups.set(name, group)
        enter(group, command)
        let running: Subscription
        try {
          const work$ = work(name)
          running = (attemptsNow()?.(command, work$) ?? work$).subscribe({
            next: (result) => {
              try {
                out.next({ ...say(result), causes: group.causes })
              } catch (error) {
                fail(group, error)
              }
            },
            error: (error: unknown) => fail(group, error),
            complete: () => end(group, ({ id: cause, type }) => ({ type: 'command:completed', cause, command: type })),
          })
        } catch (error) {
          return fail(group, error)
        }
        group.task.add(running)
        if (group.task.closed) return
        group.started = true
        out.next(first(name))
      }
      const leave = (id: string) => {
        for (const group of groups.values()) {
          if (!group.members.delete(id)) continue
          group.causes = [...group.members.keys()]
          if (group.members.size > 0) return
          end(group)
        }
      }
      out.add(() => groups.forEach(({ task }) => task.unsubscribe()))
      out.add(cancel$.subscribe(leave))
      out.add(
        command$.subscribe({
          next: (command) => {
            const { id: cause, type } = command
            try {
              const name = groupOf(command)
              const group = groups.get(name)
              if (group === undefined) open(name, command)
              else enter(group, command)
            } catch (error) {
              out.next({ type: 'command:failed', cause, command: type, error: asSwarmError(error, command) })
            }
          },
          error: (error: unknown) => out.error(error),
          complete: () => {
            ended = true
            if (groups.size === 0) out.complete()
          },
        }),
      )
    })
}
