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
    ['text/plain;q=nonsense', undefined],
  ]
  it.each(cases)('%s is answered with %s', (accept, format) => {
    expect(negotiateFormat(accept)).toBe(format)
  })
  it('does not look at a header for long', () => {
    expect(negotiateFormat(`${'image/png,'.repeat(1_000_000)}text/plain`)).toBe(undefined)
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
  ])('%s: %s', (header, takes) => {
    expect(takesGzip(header)).toBe(takes)
  })
})
