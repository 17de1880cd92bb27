import { DialError, UnexpectedError } from 'rxswarm'
import { describe, expect, it } from 'vitest'
import { lineOf } from '../../../src/observability/logging/logLine.ts'

describe('a line', () => {
  it('names the peer, the connection and the command first, and the rest as detail', () => {
    const connection = { id: 'x1', peer: 'p', address: '/ip4/1.2.3.4/tcp/1' }
    expect(lineOf({ type: 'connection:open', at: 1, connection } as never, undefined, false)).toEqual({
      message: 'connection:open',
      fields: {
        area: 'connection',
        event: 'connection:open',
        peer: 'p',
        connection: 'x1',
        detail: { connection },
      },
    })
  })
  it('tells an outcome by the type of the command', () => {
    const error = new DialError('no way', { peer: 'p', cause: new Error('refused') })
    const event = { type: 'command:failed', at: 1, cause: 'c1', command: 'ping/ping', error }
    const { message, fields } = lineOf(event, { traceId: 't', spanId: 's' }, false)
    expect(message).toBe('ping/ping failed: no way')
    expect(fields).toMatchObject({
      area: 'command',
      command: 'c1',
      command_type: 'ping/ping',
      trace_id: 't',
      span_id: 's',
      err: { name: 'DialError', code: 'ERR_DIAL', peer: 'p', cause: { message: 'refused' } },
    })
    expect(fields).not.toHaveProperty('detail')
  })
  it('shows where a defect was thrown, without the message before it', () => {
    const cause = new Error('boom\n    at forged (file.ts:1:1)')
    const error = new UnexpectedError('crashed', { cause })
    const { fields } = lineOf({ type: 'behaviour:crashed', at: 1, error } as never, undefined, true)
    const { stack } = fields['err'] as unknown as { stack: string[] }
    expect(stack[0]).toContain('logLine.test.ts')
    expect(stack.join()).not.toContain('forged')
  })
  it('holds neither payloads nor secrets nor what a terminal obeys', () => {
    const event = {
      type: 'app:said',
      at: 1,
      peer: 'p\u001b[2J\n{"level":"fatal"}',
      data: new TextEncoder().encode('payload'),
      privateKey: 'k3y',
      metadata: { password: 'hunter2' },
      note: 'LOCAL_STATIC_PRIVATE_KEY 00ff00ff and \u202e gnp.exe',
    }
    const text = JSON.stringify(lineOf(event, undefined, false))
    expect(text).not.toMatch(/payload|k3y|hunter2|00ff00ff|\\n|\p{Cc}|\u202e/u)
    expect(text).toContain('\\\\u001b[2J')
  })
})
