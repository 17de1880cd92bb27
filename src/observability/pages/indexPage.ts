import type { Page } from '../../swarm/vocabulary/probe.ts'
import type { ServedPage } from './pagesVocabulary.ts'

const DASHBOARD = '/dashboard/'

/**
 * What is at `/`: the list of pages; or, for whoever does not ask for `/?list`, the dashboard, if there is one.
 *
 * @param self Own peer id.
 */
export function indexPage(self: string, pages: readonly ServedPage[]): Page {
  const hasDashboard = pages.some(({ path }) => path === DASHBOARD)
  const html = listed(self, pages)
  return {
    path: '/',
    title: 'Pages',
    answer({ url = '/' }, response) {
      if (hasDashboard && url === '/') response.writeHead(302, { location: DASHBOARD }).end()
      else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
    },
  }
}

function listed(self: string, pages: readonly ServedPage[]): string {
  const rows = pages.map(
    ({ path, title, localOnly }) =>
      `<li><a href="${escaped(encodeURI(path))}">${escaped(path)}</a>: ${escaped(title)}${localOnly ? ' (on this machine only)' : ''}</li>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>rxswarm ${escaped(self)}</title>
<h1>rxswarm</h1>
<p>Peer <code>${escaped(self)}</code></p>
<ul>
${rows.join('\n')}
</ul>
</html>
`
}

/** Text as HTML shows it, in an attribute too. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
