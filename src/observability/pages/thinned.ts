import { Observable, type SchedulerLike, type Subscription } from 'rxjs'
import type { PagesEvent } from './pagesVocabulary.ts'

type Thinned = Extract<PagesEvent, { more?: number }>

/** Of each kind, so many are told one by one within {@link WINDOW_MS}. */
const TOLD = 8

/** @unit milliseconds */
const WINDOW_MS = 1_000

interface Window {
  told: number
  held: Thinned | undefined
  count: number
}

/**
 * Lets callers not flood the swarm with events: of refusals, and of failures of pages, only so many pass within a second.
 *
 * @shape  Each 8 of a second pass at once; of the others the last, at the end of that second, with how many were before it
 *         (`more`). Everything else passes. Memory: one event of each kind.
 */
export function thinned(scheduler: SchedulerLike): (source$: Observable<PagesEvent>) => Observable<PagesEvent> {
  return (source$) =>
    new Observable((out) => {
      const windows = new Map<string, Window>()
      const open = (type: string): Window => {
        const window: Window = { told: 0, held: undefined, count: 0 }
        windows.set(type, window)
        const timer: Subscription = scheduler.schedule(() => {
          out.remove(timer)
          close(type, window)
        }, WINDOW_MS)
        out.add(timer)
        return window
      }
      const close = (type: string, { held, count }: Window) => {
        windows.delete(type)
        if (held === undefined) return
        out.next(count > 1 ? { ...held, more: count - 1 } : held)
      }
      out.add(
        source$.subscribe({
          next: (event) => {
            if (!isThinned(event)) return out.next(event)
            const window = windows.get(event.type) ?? open(event.type)
            if (window.told++ < TOLD) return out.next(event)
            window.held = event
            window.count++
          },
          error: (error: unknown) => out.error(error),
          complete: () => {
            for (const [type, window] of windows) close(type, window)
            out.complete()
          },
        }),
      )
    })
}

/** What callers cause, as often as they ask. */
function isThinned(event: PagesEvent): event is Thinned {
  return event.type === 'pages:refused' || (event.type === 'pages:failed' && event.retryInMs === undefined)
}
