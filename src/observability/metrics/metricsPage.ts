import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Page } from '../../swarm/vocabulary/probe.ts'
import { CONTENT_TYPES, negotiateFormat, takesGzip } from './metricsFormat.ts'
import type { MetricsProbe } from './metricsProbe.ts'

const gzipped = promisify(gzip)

/** Scrapes at once; who comes when so many are under way is asked to come again. */
const MOST_SCRAPES = 16

/** What decides over the answer, for those who keep answers. */
const VARY = { vary: 'accept, accept-encoding' }

/** `/metrics`: Prometheus' text or OpenMetrics, as the scraper likes. */
export function metricsPage(probe: MetricsProbe): Page {
  let scrapes = 0
  return {
    path: '/metrics',
    title: 'Metrics for Prometheus',
    async answer({ method, headers }, response) {
      const format = negotiateFormat(headers.accept)
      if (format === undefined) {
        response.writeHead(406, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...VARY })
        return void response.end(`Available: ${Object.values(CONTENT_TYPES).join(', ')}\n`)
      }
      if (scrapes >= MOST_SCRAPES) {
        response.writeHead(503, {
          'content-type': 'text/plain; charset=utf-8',
          'cache-control': 'no-store',
          'retry-after': '1',
        })
        return void response.end('Too many scrapes at once; come again.\n')
      }
      scrapes++
      try {
        const text = await probe.write(format)
        const isZipped = takesGzip(String(headers['accept-encoding'] ?? ''))
        const body = isZipped ? await gzipped(text) : Buffer.from(text)
        response.writeHead(200, {
          'content-type': CONTENT_TYPES[format],
          'content-length': body.byteLength,
          'cache-control': 'no-store',
          ...VARY,
          ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
        })
        response.end(method === 'HEAD' ? undefined : body)
      } finally {
        scrapes--
      }
    },
  }
}
