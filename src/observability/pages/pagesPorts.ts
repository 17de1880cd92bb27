import { concat, defer, from } from 'rxjs'
import type { Probed } from '../../swarm/vocabulary/probe.ts'
import { indexPage } from './indexPage.ts'
import type { PagesPorts } from './pagesBehaviour.ts'
import type { PagesDecisions } from './pagesOptions.ts'
import { pagesServer } from './pagesServer.ts'
import { pageTable } from './pageTable.ts'
import type { PagesEvent } from './pagesVocabulary.ts'

/** The pages of a swarm, behind a server. */
export function pagesPorts(options: PagesDecisions, probed: Probed): PagesPorts {
  return {
    server$: defer(() => {
      const table = pageTable(probed)
      const index = indexPage(probed.self, table.pages)
      const failures = table.failures.map((failure): PagesEvent => ({ type: 'pages:failed', ...failure }))
      const find = (path: string) => table.find(path) ?? (path === '/' ? index : undefined)
      return concat(from(failures), pagesServer(options, { pages: table.pages, find }))
    }),
  }
}
