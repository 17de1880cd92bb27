import { negotiateFormat, takesGzip } from '../../../src/observability/metrics/metricsFormat.ts'
import { describe, expect, it } from 'vitest'

describe('negotiateFormat', () => {
  const prometheus3 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, 'prometheus'],
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
    ['text/plain', 'prometheus'],
    ['TEXT/PLAIN; Version="0.0.4"', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/*', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    [prometheus3, 'openmetrics'],
    ['application/openmetrics-text;q=0.3,text/plain;q=0.5', 'prometheus'],
    ['application/openmetrics-text;q=0,*/*', 'prometheus'],
    ['text/plain;q=0,*/*;q=0.1', 'openmetrics'],
    ['text/*;q=0.9, application/openmetrics-text;q=0.8', 'prometheus'],
    ['application/openmetrics-text;version=2.0.0', undefined],
    ['image/png', undefined],
    ['*/*;q=0', undefined],
    ['application/openmetrics-text;version=0.0.1', 'openmetrics'],
    ['application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'openmetrics'],
    ['text/plain;version=1.0.0', undefined],
    ['text/plain;charset=iso-8859-1', undefined],
    ['text/plain;charset="UTF-8"', 'prometheus'],
    ['text/plain;q=0.9,text/plain;version=0.0.4;q=0,application/openmetrics-text;q=0.1', 'openmetrics'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.2,application/openmetrics-text;q=0.9,text/plain;q=0.5',
      'prometheus',
    ],
    ['application/*;q=0.5,text/*;q=0.5', 'prometheus'],
    ['application/*;q=0.501,text/*;q=0.5', 'openmetrics'],
    ['text/*;q=0,*/*;q=1', 'openmetrics'],
    ['*/*;q=1,application/openmetrics-text;q=0,text/plain;q=0', undefined],
    ['text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', 'prometheus'],
    ['image/png;title="text/plain, */*"', undefined],
    ['image/png;title="a\\",b", application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text ; Q=1.000 , text/plain ; q=0.999', 'openmetrics'],
    // what can't be read is not there; when nothing is left, it is as if nothing had been sent
    ['text/plain;q=nonsense', 'prometheus'],
    ['application/openmetrics-text;q=1.5', 'prometheus'],
    ['application/openmetrics-text;q=1e0', 'prometheus'],
    ['application/openmetrics-text;q=0x1,image/png', undefined],
    [';;;,,;q=1,=', 'prometheus'],
    ['garbage', 'prometheus'],
    ['"', 'prometheus'],
    ['\u0000\u0001 \ud800', 'prometheus'],
    ['garbage, application/openmetrics-text', 'openmetrics'],
    ['/,text/,/plain,text/plain/x', 'prometheus'],
  ]
  it.each(cases)('%s is answered with %s', (accept, format) => {
    expect(negotiateFormat(accept)).toBe(format)
  })
  it('does not look at a header for long', () => {
    expect(negotiateFormat(`${'image/png,'.repeat(1_000_000)}text/plain`)).toBe(undefined)
  })
  it('does not take a range that was cut for a whole one', () => {
    const filler = `image/png;a="${'x'.repeat(994)}",`
    expect(filler).toHaveLength(1_009)
    expect(negotiateFormat(`${filler}text/plain;q=0.9`)).toBe(undefined)
    expect(negotiateFormat(`image/png,text/plain${' '.repeat(2_000)}`)).toBe(undefined)
  })
  it('is quick with what is made to be slow', () => {
    for (const piece of ['"\\', '\\"', 'a;', '";', ',"', 'q=', ' ']) {
      expect(['prometheus', undefined]).toContain(negotiateFormat(piece.repeat(1_000)))
    }
  })
})

describe('takesGzip', () => {
  it.each([
    ['gzip', true],
    ['deflate, gzip;q=0.5', true],
    ['*', true],
    ['', false],
    [undefined, false],
    ['identity', false],
    ['gzip;q=0, *', false],
    ['*;q=0', false],
    ['identity;q=1, gzip;q=0.5', false],
    ['identity;q=0.5, gzip', true],
    ['identity;q=0.5, *', true],
    ['gzip;q=nonsense', false],
    ['GZIP', true],
  ])('%s: %s', (header, takes) => {
    expect(takesGzip(header)).toBe(takes)
  })
})
