import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import * as modules from 'node:module'
import { dirname, extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** A file of the page, ready to be sent. */
export interface Asset {
  /** Content-Type. */
  readonly type: string
  /** As it is. */
  readonly body: Buffer
  /** Compressed, if that is smaller. */
  readonly gzipped?: Buffer
}

/** The page: where its files are, and what its first one is. */
export interface Assets {
  /** Its first file; it names all others by paths that begin with `at`. */
  readonly index: Asset
  /** Content-Security-Policy of the first file. */
  readonly policy: string
  /** Tells this version of all files from any other. */
  readonly version: string
  /** By path, with the version in it: they never change. */
  readonly files: ReadonlyMap<string, Asset>
}

const ABOVE = dirname(dirname(fileURLToPath(import.meta.url)))

/** Whether this runs from its sources, whose types are taken out before they are sent. */
const IS_SOURCE = import.meta.url.endsWith('.ts')
const CODE = IS_SOURCE ? '.ts' : '.js'

/** Rooms whose files the page is made of; paths are those of the folder above, so that imports find each other. */
const ROOMS = ['dashboard/page', 'dashboard/model'] as const

/** What they need of that folder itself. */
const SHARED = [`plainEvent${CODE}`] as const

/** The first file. */
const INDEX = 'dashboard/page/index.html'

/** Modules of others: their package, and the file in it. Whatever they import is here too. */
const LIBRARIES = {
  preact: ['preact', 'dist/preact.mjs'],
  'preact/hooks': ['preact', 'hooks/dist/hooks.mjs'],
  '@preact/signals': ['@preact/signals', 'dist/signals.mjs'],
  '@preact/signals-core': ['@preact/signals-core', 'dist/signals-core.mjs'],
  htm: ['htm', 'dist/htm.mjs'],
  'htm/preact': ['htm', 'preact/index.mjs'],
  uplot: ['uplot', 'dist/uPlot.esm.js'],
  cytoscape: ['cytoscape', 'dist/cytoscape.esm.min.mjs'],
} as const satisfies Readonly<Record<string, readonly [pack: string, file: string]>>

/** Style sheets of others. */
const SHEETS = { 'uPlot.min.css': ['uplot', 'dist/uPlot.min.css'] } as const

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.woff2': 'font/woff2',
}

let loaded: Promise<Assets> | undefined

/**
 * Every file of the page, read once in the life of the process.
 *
 * @shape  Files are found by a list that is made here; nothing that a browser asks for reaches the file system. The first file
 *         names each other by its version, so that browsers keep them for ever.
 * @errors Those of the file system, each time it is asked until it works.
 */
export function loadAssets(): Promise<Assets> {
  loaded ??= load().catch((cause: unknown) => {
    loaded = undefined
    throw cause
  })
  return loaded
}

async function load(): Promise<Assets> {
  const texts = new Map<string, Buffer>([...ROOMS.flatMap(ownFiles), ...SHARED.map(ownFile), ...libraryFiles()])
  const version = createHash('sha256')
  for (const [path, bytes] of texts) version.update(path).update('\0').update(bytes)
  const name = version.digest('hex').slice(0, 16)
  const at = `/dashboard/${name}/`
  const index = texts.get(INDEX)
  if (index === undefined) throw new Error(`${INDEX} is missing`)
  texts.delete(INDEX)
  const files = await Promise.all(
    [...texts].map(async ([path, body]) => [at + path, await assetOf(path, body)] as const),
  )
  const { html, importMap } = framed(index.toString(), at, [...texts.keys()])
  const hash = createHash('sha256').update(importMap).digest('base64')
  return {
    index: await assetOf('index.html', Buffer.from(html)),
    policy: policyOf(hash),
    version: name,
    files: new Map(files),
  }
}

/** Nothing but what this server has itself; no script but its files and the import map. */
function policyOf(importMapHash: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${importMapHash}'`,
    "style-src 'self'",
    "style-src-attr 'unsafe-inline'", // the graph and the charts are placed by style attributes
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Where the first file wants the import map, and what is to be loaded at once. */
const IMPORTS = '<!--imports-->'

/** The first file with the paths of the others in place of their names, the import map, and what is to be loaded at once. */
function framed(html: string, at: string, paths: readonly string[]) {
  const imports = Object.fromEntries(Object.keys(LIBRARIES).map((name) => [name, `${at}lib/${fileOf(name)}`]))
  const importMap = JSON.stringify({ imports })
  const preloads = paths
    .filter((path) => /\.(js|ts)$/.test(path))
    .map((path) => `<link rel="modulepreload" href="${at}${path}" />`)
  const scripts = [`<script type="importmap">${importMap}</script>`, ...preloads].join('\n    ')
  if (!html.includes(IMPORTS)) throw new Error(`${INDEX} has no ${IMPORTS}`)
  const placed = html
    .replace(/\b(href|src)="(?!\/|#|data:|https?:)([^"]+)"/g, (_, name: string, named: string) => {
      const code = named.replace(/\.(ts|js)$/, CODE)
      const path = [named, `dashboard/${code}`, `dashboard/${named}`, `dashboard/page/${named}`].find((one) =>
        paths.includes(one),
      )
      if (path === undefined) throw new Error(`${INDEX} names ${named}, which is missing`)
      return `${name}="${at}${path}"`
    })
    .replace(IMPORTS, () => scripts)
  return { html: placed, importMap }
}

async function assetOf(path: string, body: Buffer): Promise<Asset> {
  const type = TYPES[extname(path)] ?? TYPES['.js']!
  const gzipped = body.length < 512 ? body : await promisify(gzip)(body, { level: 9 })
  return { type, body, ...(gzipped.length < body.length ? { gzipped } : {}) }
}

/** Files of a room of the page. */
function ownFiles(room: (typeof ROOMS)[number]): readonly (readonly [path: string, bytes: Buffer])[] {
  return readdirSync(join(ABOVE, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isShown(entry.name))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(ABOVE.length + 1)
        .split(sep)
        .join('/'),
    )
    .toSorted()
    .map(ownFile)
}

/** A file of the page: code without its types, and what is no code as it is. */
function ownFile(path: string): readonly [path: string, bytes: Buffer] {
  const bytes = readFileSync(join(ABOVE, path))
  return [path, extname(path) === '.ts' ? Buffer.from(withoutTypes(bytes.toString())) : withoutMap(path, bytes)]
}

function isShown(name: string): boolean {
  if (name.endsWith('.d.ts') || name.endsWith('.test.ts')) return false
  const extension = extname(name)
  return extension === '.ts' || extension === '.js' ? extension === CODE : extension in TYPES && extension !== '.json'
}

function* libraryFiles(): Iterable<readonly [path: string, bytes: Buffer]> {
  for (const [name, [pack, file]] of Object.entries(LIBRARIES)) {
    const path = `lib/${fileOf(name)}`
    yield [path, withoutMap(path, readFileSync(join(rootOf(pack), file)))]
  }
  for (const [name, [pack, file]] of Object.entries(SHEETS))
    yield [`lib/${name}`, readFileSync(join(rootOf(pack), file))]
}

const fileOf = (name: string) => `${name.replace('@', '').replaceAll('/', '-')}.js`

/** Where a package is: that of the signals' core is what the signals find. */
function rootOf(pack: string): string {
  const from = pack === '@preact/signals-core' ? join(rootOf('@preact/signals'), 'package.json') : import.meta.url
  const entry = modules.createRequire(from).resolve(pack)
  const mark = join('node_modules', ...pack.split('/')) + sep
  return entry.slice(0, entry.lastIndexOf(mark) + mark.length)
}

/** Without the name of a source map that is not served. */
function withoutMap(path: string, bytes: Buffer): Buffer {
  return path.endsWith('.js') ? Buffer.from(bytes.toString().replace(/\/\/# sourceMappingURL=\S+\s*$/, '')) : bytes
}

/** Node says once that what takes out types is an experiment: here it runs on own files alone, and only from the sources. */
function withoutTypes(code: string): string {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return modules.stripTypeScriptTypes(code) // Node 22.13 and later have it; nobody else runs from the sources
  } finally {
    process.emitWarning = emitWarning
  }
}
