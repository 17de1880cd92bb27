import type { AnyModule, Page, Probe } from 'rxswarm'
import { NEVER } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { pageTable } from '../../../src/observability/pages/pageTable.ts'

const page = (path: string): Page => ({ path, title: `The page ${path}`, answer: () => undefined })
const module = (name: string, pages: (probe: Probe) => readonly Page[]): AnyModule => ({
  name,
  commands: {},
  ports: () => undefined,
  pages,
  behaviour: () => NEVER,
})
const tableOf = (...modules: readonly AnyModule[]) => pageTable({ modules, probeOf: () => undefined })

describe('pageTable', () => {
  const table = tableOf(module('a', () => [page('/metrics'), page('/dashboard/'), page('/dashboard/api/')]))
  const found = (path: string) => {
    const at = table.find(path)
    return at === undefined || 'movedTo' in at ? at : at.path
  }

  it('finds the page at a path, or the nearest one above', () => {
    expect(found('/metrics')).toBe('/metrics')
    expect(found('/dashboard/')).toBe('/dashboard/')
    expect(found('/dashboard/app.js')).toBe('/dashboard/')
    expect(found('/dashboard/api/events')).toBe('/dashboard/api/')
  })
  it('finds none beside a page, below one that has nothing there, and at names that objects have anyway', () => {
    for (const path of ['/', '/metrics/', '/metrics/x', '/metricsx', '/dashboardx', '/constructor', '/__proto__']) {
      expect(found(path), path).toBeUndefined()
    }
  })
  it('says where what is asked for without its slash is', () => {
    expect(found('/dashboard')).toEqual({ movedTo: '/dashboard/' })
  })
  it('gives each module its own probe', () => {
    const probe: Probe = {}
    const seen: Probe[] = []
    const asked = module('a', (given) => (seen.push(given), []))
    pageTable({ modules: [asked], probeOf: (of) => (of === asked ? probe : undefined) })
    expect(seen[0]).toBe(probe)
  })
  it('keeps the first of two pages at one path, and what a module that fails has not said', () => {
    const failing = module('b', () => {
      throw new Error('mine')
    })
    const { pages, failures } = tableOf(
      module('a', () => [page('/x'), page('no-slash'), page('/a/../b')]),
      failing,
      module('c', () => [page('/x'), page('/y')]),
    )
    expect(pages.map(({ path, module: of }) => `${of} ${path}`)).toEqual(['a /x', 'c /y'])
    expect(failures.map(({ error: { message } }) => message)).toEqual([
      'page no-slash of a: its path is no path',
      'page /a/../b of a: its path is no path',
      'mine',
      'page /x of c: its path is taken by another page',
    ])
  })
})
