import { command, type AnyCommand } from 'rxswarm'
import { marbles } from 'rxswarm/testing'
import { asyncScheduler, Observable } from 'rxjs'
import type { RunHelpers } from 'rxjs/testing'
import { describe, expect, it, vi } from 'vitest'
import { Ledger, type Entry } from '../../src/swarm/ledger.ts'

const limits = { intake: 2, running: 2, openEnded: 1 }
const flow = { name: 'route', running: 0, waiting: 0 }
const named = (id: string, deadlineMs?: number): AnyCommand => ({
  ...command('x/do', {}, deadlineMs === undefined ? undefined : { deadlineMs }),
  id,
})

/** When the ledger says which commands are late. */
function due$(deadlineMs: number, enter: (ledger: Ledger<string>) => void): Observable<string> {
  return new Observable((out) => {
    const ledger: Ledger<string> = new Ledger(limits, deadlineMs, asyncScheduler, (entry: Entry<string>) => {
      out.next(entry.command.id)
      ledger.leave(entry)
    })
    enter(ledger)
    return () => ledger.close()
  })
}
const expectDue = ({ expectObservable }: RunHelpers, picture: string, enter: (ledger: Ledger<string>) => void) =>
  expectObservable(due$(4, enter)).toBe(picture)

describe('Ledger', () => {
  marbles('says when a command is late', (run) => {
    expectDue(run, '----a', (ledger) => ledger.enter(named('a'), 'route', flow, false, undefined))
  })
  marbles('says so in the order in which they are due, not in which they came', (run) => {
    expectDue(run, '--b-a----c', (ledger) => {
      ledger.enter(named('a'), 'route', flow, false, undefined)
      ledger.enter(named('b', 2), 'route', flow, false, undefined)
      ledger.enter(named('c', 9), 'route', flow, false, undefined)
    })
  })
  marbles('says all that are due at once, the latest first', (run) => {
    expectDue(run, '----(ba)', (ledger) => {
      ledger.enter(named('a'), 'route', flow, false, undefined)
      ledger.enter(named('b'), 'route', flow, false, undefined)
    })
  })
  marbles('says nothing of one that has left', (run) => {
    expectDue(run, '----b', (ledger) => {
      ledger.enter(named('a', 3), 'route', flow, false, undefined)
      ledger.enter(named('b'), 'route', flow, false, undefined)
      ledger.leave(ledger.get('a')!)
    })
  })
  marbles('keeps deadlines that are longer than a timer of the platform', (run) => {
    expectDue(run, '43200m a', (ledger) => ledger.enter(named('a', 43_200 * 60_000), 'route', flow, false, undefined))
  })
  marbles('sets no timer for an open-ended command', (run) => {
    expectDue(run, '', (ledger) => ledger.enter(named('a'), 'route', flow, true, undefined))
  })
  it('has bounds of its own for what ends and for what does not', () => {
    const ledger = new Ledger<string>(limits, 1_000, asyncScheduler, vi.fn())
    const refused = (id: string, openEnded: boolean) => ledger.fullness(named(id), openEnded)?.name
    ledger.enter(named('a'), 'route', flow, false, undefined)
    ledger.enter(named('b'), 'route', flow, false, undefined)
    ledger.enter(named('c'), 'route', flow, true, undefined)
    expect([refused('d', false), refused('d', true)]).toEqual(['OverloadedError', 'OverloadedError'])
    ledger.leave(ledger.get('c')!)
    expect([refused('d', false), refused('d', true)]).toEqual(['OverloadedError', undefined])
    ledger.leave(ledger.get('a')!)
    expect(refused('d', false)).toBeUndefined()
    expect(ledger.size).toBe(1)
    ledger.close()
  })
  it('takes no second command with the id of one in flight', () => {
    const ledger = new Ledger<string>(limits, 1_000, asyncScheduler, vi.fn())
    ledger.enter(named('a'), 'route', flow, false, undefined)
    expect(ledger.refusal(named('a'), false)).toMatchObject({ name: 'InvalidCommandError', field: 'id' })
    ledger.close()
  })
})
