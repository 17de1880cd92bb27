import { describe, expect, it } from 'vitest'
import { emptyView } from '../../../../src/observability/dashboard/model/dashboardView.ts'
import { FEED_VERSION } from '../../../../src/observability/dashboard/model/feed.ts'
import { readFrame } from '../../../../src/observability/dashboard/page/feed/readFrame.ts'
import { readRecording } from '../../../../src/observability/dashboard/page/feed/readRecording.ts'

const view = emptyView({ self: 'me' })
const hello = { type: 'hello', version: FEED_VERSION, position: 3, serverTimeMs: 5, view }

describe('readFrame', () => {
  it('reads what the node sends', () => {
    expect(readFrame(JSON.stringify(hello))).toEqual({ frame: hello })
    const batch = { type: 'batch', position: 1, items: [{ type: 'a', at: 1 }], examples: [], skipped: {} }
    expect(readFrame(JSON.stringify(batch))).toEqual({ frame: batch })
  })
  it.each([
    ['{', 'a message of the feed is not JSON'],
    ['[]', 'a message of the feed is no object'],
    ['null', 'a message of the feed is no object'],
    ['{"type":{"toString":null}}', 'a message of an unknown type: object'],
    ['{"type":"<b>"}', 'a message of an unknown type: <b>'],
    [JSON.stringify({ ...hello, version: 9 }), `the feed has version 9, this page reads ${FEED_VERSION}`],
    [JSON.stringify({ ...hello, view: { self: 'me' } }), 'a hello without a view'],
    ['{"type":"batch","position":1,"items":[{"type":1}],"examples":[]}', 'a batch with something that is no event'],
    ['{"type":"sample","position":1,"sample":{"at":1}}', 'a sample without its numbers'],
  ])('tells what is wrong with %s', (data, problem) => expect(readFrame(data)).toEqual({ problem }))
})

describe('readRecording', () => {
  const open = { type: 'peer:connect', at: 7, peer: 'a' }
  it('reads a saved history', () => {
    const page = { version: 1, position: 2, at: 5, view, items: [open, { nonsense: true }] }
    expect(readRecording(JSON.stringify(page))).toEqual({
      start: { view, at: 5 },
      items: [open],
      note: '1 parts of the recording could not be read.',
    })
  })
  it('takes a history that tells no time from its beginning', () => {
    const page = { version: 1, at: { toString: null }, view, items: [open] }
    expect(readRecording(JSON.stringify(page))).toMatchObject({ start: { at: 0 }, items: [open] })
  })
  it('reads lines, also of a file that was cut short', () => {
    const text = [
      JSON.stringify({ self: 'me' }),
      JSON.stringify(open),
      JSON.stringify({ event: open }),
      '{"type":"pe',
    ].join('\n')
    const read = readRecording(text)
    expect(read).toMatchObject({ items: [open, open], note: '1 lines of the recording could not be read.' })
    expect(read).toMatchObject({ start: { at: 7, view: { self: 'me' } } })
  })
  it.each(['', 'hello', '{}', '[1,2]', '\u0000\u0001'])('refuses %j', (text) => {
    expect(readRecording(text)).toEqual({ problem: 'it holds no event that can be read' })
  })
})
