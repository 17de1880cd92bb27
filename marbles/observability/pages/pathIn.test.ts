import { describe, expect, it } from 'vitest'
import { pathIn } from '../../../src/observability/pages/pathIn.ts'

describe('pathIn', () => {
  it('is the path, decoded, without the query', () => {
    expect(['/', '/metrics', '/metrics?name[]=//..', '/a%20b/c', '/dashboard/'].map(pathIn)).toEqual([
      '/',
      '/metrics',
      '/metrics',
      '/a b/c',
      '/dashboard/',
    ])
  })
  it('is none for what could lead astray', () => {
    const tricks = [
      '//',
      '//evil.example/',
      '/a//b',
      '/..',
      '/./a',
      '/dashboard/../metrics',
      '/dashboard/%2e%2e/metrics',
      '/dashboard/.%2E/metrics',
      '/dashboard/..%2fmetrics',
      '/dashboard/%252e%252e%252fmetrics',
      '/dashboard/..%5cmetrics',
      '/a\\b',
      '/a%00b',
      '/a%0d%0ab',
      '/%',
      '/%ff',
      '/%c0%ae%c0%ae/',
      '/a#b',
      'http://127.0.0.1/metrics',
      '*',
      '',
      `/${'a'.repeat(5_000)}`,
    ]
    expect(tricks.filter((trick) => pathIn(trick) !== undefined)).toEqual([])
  })
})
