import { StorageError } from 'rxswarm'
import { recording, type RecordingCommand, type RecordingEvent, type RecordingPorts } from 'rxswarm/observability'
import { fakeSwarm, fakeWires, marbles, obeysBehaviourLaws, fakePorts } from 'rxswarm/testing'
import { map, NEVER } from 'rxjs'
import { describe, expect, it } from 'vitest'

const { behaviour } = recording()
const start: RecordingCommand = { ...recording.start({ path: 'file' }), id: 's' }
const stop: RecordingCommand = { ...recording.stop(), id: 'e' }
const report = { path: 'file', lines: 7, chars: 700, lost: 1 }

describe('recording', () => {
  obeysBehaviourLaws(behaviour, [start, stop])

  marbles('begins and ends a file, and says how it is doing', ({ cold, hot, expectObservable }) => {
    const command$ = hot('              -s----e---', { s: start, e: stop })
    const event$ = hot<RecordingEvent>('----l-----', { l: { type: 'recording:lost', count: 1 } })
    const expected = '                  -bd-l-rd--'
    const ports: RecordingPorts = {
      event$,
      start: () => cold('p|', { p: { path: 'file' } }),
      stop: () => cold('r|', { r: report }),
    }
    const said$ = behaviour(fakeWires({ command$, ports })).pipe(map(({ type }) => type.replace(/.*:/, '')[0]))
    expectObservable(said$).toBe(expected.replace('bd', 'sc').replace('rd', 'sc'))
  })
  marbles('refuses a file that can not be', ({ hot, expectObservable }) => {
    const command$ = hot('-s', { s: { ...start, file: { path: '', gzip: 1 } } as unknown as RecordingCommand })
    const said$ = behaviour(fakeWires({ command$, ports: fakePorts<RecordingPorts>(() => NEVER) }))
    const error$ = said$.pipe(map((said) => (said as unknown as { readonly error: Error }).error))
    const told$ = error$.pipe(map(({ name, message }) => [name, message]))
    expectObservable(told$).toBe('-f', { f: ['InvalidCommandError', 'file.path: must not be empty'] })
  })
  it('tells what is wrong with its options', () => {
    const { problems } = recording({ path: '', maxChars: 0, redact: 1 } as never)
    expect(problems?.map(({ path }) => path)).toEqual(['recording.path', 'recording.redact', 'recording.maxChars'])
  })
  marbles('keeps in the state what is written and what was lost', ({ hot }) => {
    const events: readonly RecordingEvent[] = [
      { type: 'recording:started', path: 'file' },
      { type: 'recording:lost', count: 3 },
      { type: 'recording:failed', error: new StorageError('full') },
    ]
    const ports = {
      recording: { ...fakePorts(() => NEVER), event$: hot('abc', { a: events[0], b: events[1], c: events[2] }) },
    }
    const swarm = fakeSwarm([recording()], { ports })
    hot('---x').subscribe(() =>
      expect(swarm.state()).toMatchObject({ recording: { path: undefined, lost: 3, failures: 1 } }),
    )
  })
})
