// Reads the metrics of a node as Prometheus does: told a URL, it says how long it took and how much it was. Each on a
// connection of its own, so that the connection is counted too.
import { get } from 'node:http'

/** What it says. */
export interface Scraped {
  /** From asking to the last byte. @unit milliseconds */
  readonly ms: number
  /** As they came, compressed. */
  readonly bytes: number
}

const headers = {
  accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5',
  'accept-encoding': 'gzip',
}

process.on('message', ({ url }: { readonly url: string }) => {
  const start = performance.now()
  get(url, { agent: false, headers }, (response) => {
    if (response.statusCode !== 200) throw new Error(`${url} answers ${response.statusCode}`)
    let bytes = 0
    response.on('data', (chunk: Buffer) => (bytes += chunk.byteLength))
    response.on('end', () => process.send?.({ ms: performance.now() - start, bytes } satisfies Scraped))
  })
})
process.on('disconnect', () => process.exit())
