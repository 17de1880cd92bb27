// What the page of the dashboard has besides code goes into the build too.

import { cpSync } from 'node:fs'
import { extname } from 'node:path'

const FROM = 'src/observability/dashboard/page'
const KINDS = new Set(['', '.css', '.html', '.png', '.svg', '.woff2'])

cpSync(FROM, 'dist/observability/dashboard/page', { recursive: true, filter: (path) => KINDS.has(extname(path)) })
