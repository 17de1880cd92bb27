import { DialError, ping, RelayError, type AnyModule } from 'rxswarm'
import { readRecording, recordingMarbles, type RecordingMarblesOptions } from 'rxswarm/observability'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { delay, mergeMap, NEVER, of, take, throwError, timer } from 'rxjs'
import type { WiredSwarm } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'
import { recorded } from './recorded.ts'

const ignore = { error: () => undefined }
let pings = 0
const pingPorts = {
  ping: {
    ping: (peer: string) => {
      if (peer === 'silent') return NEVER
      if (peer === 'gone') {
        const error = new DialError("can't\nreach it", { peer, cause: new RelayError('no', {}, 'RESERVATION_REFUSED') })
        return timer(3).pipe(mergeMap(() => throwError(() => error)))
      }
      return of(++pings).pipe(delay(5))
    },
  },
}

function lived(swarm: WiredSwarm): void {
  swarm.command$.next(ping.once({ peer: 'a' }))
  swarm.execute(ping.once({ peer: 'silent' }, { deadlineMs: 70 })).subscribe(ignore)
  swarm
    .execute(ping.watch({ peer: 'a', intervalMs: 10 }))
    .pipe(take(4))
    .subscribe()
  timer(100).subscribe(() => swarm.execute(ping.once({ peer: 'gone' })).subscribe(ignore))
  const leaving = swarm.execute(ping.once({ peer: 'silent' })).subscribe(ignore)
  timer(250).subscribe(() => leaving.unsubscribe())
}

const recording = readRecording(recorded([ping()], pingPorts, lived))

/** Runs a printed test among those of this file. */
async function printed(options: RecordingMarblesOptions): Promise<string> {
  const text = recordingMarbles(recording, options)
  const folder = mkdtempSync(join(import.meta.dirname, '.printed-'))
  try {
    const path = join(folder, 'printed.ts')
    writeFileSync(path, text)
    await import(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
  return text
}

describe('a printed test runs, and passes', async () => {
  const whole = await printed({ behaviour: 'ping' })
  const timely = await printed({ behaviour: 'ping', use: [ping()] as readonly AnyModule[] })
  const part = await printed({ behaviour: 'ping', fromMs: 90, toMs: 120 })
  const typed = await printed({ behaviour: 'ping', toMs: 30, types: ['ping:measured'] })
  it('is short, and says what it expects', () => {
    expect(whole).toContain("marbles('ping does what it did from 0 to 5000 ms'")
    expect(part).toContain('new DialError(')
    expect(part).not.toContain('ping/watch')
    expect(typed).not.toContain('command:completed')
    expect(timely).toContain('expectObservable(said$')
    expect(whole.split('\n').length).toBeLessThan(60)
  })
  it('is refused for a behaviour that the recording does not have', () => {
    expect(() => recordingMarbles(recording, { behaviour: 'no' })).toThrow(/has no no, but ping, recording/)
  })
})
