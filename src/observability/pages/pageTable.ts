import { UnexpectedError, type SwarmError } from '../../errors/errors.ts'
import type { Page, Probed } from '../../swarm/vocabulary/probe.ts'
import { asSwarmError } from '../../swarm/perform.ts'
import { pathIn } from './pathIn.ts'
import type { ServedPage } from './pagesVocabulary.ts'

/** All pages of a swarm. */
export interface PageTable {
  /** In the order of their modules. */
  readonly pages: readonly ServedPage[]
  /** Pages that can't be served, and why. */
  readonly failures: readonly { readonly path?: string; readonly error: SwarmError }[]
  /** The page that answers a path: the one at it, else the one that is nearest above; or where it should be asked for. */
  find(path: string): Page | { readonly movedTo: string } | undefined
}

/** Collects the pages of every module in use. A module that fails to say which it has, has none. */
export function pageTable({ modules, probeOf }: Pick<Probed, 'modules' | 'probeOf'>): PageTable {
  const byPath = new Map<string, Page>()
  const pages: ServedPage[] = []
  const failures: { path?: string; error: SwarmError }[] = []
  for (const module of modules) {
    try {
      for (const page of module.pages?.(probeOf(module) ?? {}) ?? []) {
        const { path, title, localOnly = false } = page
        const problem = byPath.has(path) ? 'is taken by another page' : pathIn(path) === path ? '' : 'is no path'
        if (problem !== '') {
          failures.push({ path, error: new UnexpectedError(`page ${path} of ${module.name}: its path ${problem}`) })
          continue
        }
        byPath.set(path, page)
        pages.push({ path, title, module: module.name, localOnly })
      }
    } catch (cause) {
      failures.push({ error: asSwarmError(cause) })
    }
  }
  const above = [...byPath.keys()]
    .filter((path) => path.endsWith('/') && path !== '/')
    .toSorted((one, other) => other.length - one.length)
  return {
    pages,
    failures,
    find(path) {
      const exact = byPath.get(path)
      if (exact !== undefined) return exact
      if (byPath.has(`${path}/`)) return { movedTo: `${path}/` }
      const nearest = above.find((one) => path.startsWith(one))
      return nearest === undefined ? undefined : byPath.get(nearest)
    },
  }
}
