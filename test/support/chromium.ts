import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'

const EXECUTABLE = '/usr/bin/chromium'

/** Why there is no browser; nothing when there is one. */
export const noChromium = existsSync(EXECUTABLE) ? undefined : `${EXECUTABLE} is not installed`

/** How a page is looked at. */
export interface Look {
  /** @unit pixels */
  readonly width?: number
  /** @unit pixels */
  readonly height?: number
  /** Default: light. */
  readonly scheme?: 'light' | 'dark'
}

/** A browser with one page, and everything it complained about and asked for. */
export interface Browser extends AsyncDisposable {
  /** Its page. */
  readonly page: Page
  /** What the console had as errors, and what was thrown. */
  readonly complaints: readonly string[]
  /** Addresses that were asked for. */
  readonly requests: readonly string[]
}

/** Starts Chromium without a window, with a profile of its own. */
export async function startChromium({ width = 1_280, height = 900, scheme = 'light' }: Look = {}): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'rxswarm-chromium-'))
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    viewport: { width, height },
    colorScheme: scheme,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  const page = context.pages()[0] ?? (await context.newPage())
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => requests.push(request.url()))
  return {
    page,
    complaints,
    requests,
    async [Symbol.asyncDispose]() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}
