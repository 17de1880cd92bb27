import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connections, createSwarm, gossipsub, identify, ping, type Swarm } from 'rxswarm'
import { dashboard, pages } from 'rxswarm/observability'
import { firstValueFrom, NEVER } from 'rxjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type axeCore from 'axe-core'
import type { Page } from 'playwright-core'
import { emptyView } from '../src/observability/dashboard/model/dashboardView.ts'
import { sealed } from '../src/observability/recording/recordingLine.ts'
import { noChromium, startChromium, type Browser, type Look } from './support/chromium.ts'
import { connect, listenAddress } from './support/swarms.ts'
import { eventually, until } from './support/wait.ts'

const HOSTILE_TOPIC = '<img src=x onerror="window.hurt=1">'
const HOSTILE_AGENT = '<script>window.hurt=2</script>'

type Axe = typeof axeCore

/** Gives the node another name than its own. */
const named = (userAgent: string) => ({
  name: 'named' as const,
  commands: {},
  libp2p: (options: object) => ({ ...options, nodeInfo: { userAgent } }),
  ports: () => ({}),
  behaviour: () => NEVER,
})

const plain = (userAgent = 'rxswarm-test') =>
  [connections(), identify(), ping(), gossipsub(), named(userAgent)] as const

const startPlain = (userAgent?: string) =>
  createSwarm({ use: plain(userAgent), transports: ['tcp'], listen: [listenAddress('tcp')] })

const startWatched = () =>
  createSwarm({
    use: [
      ...plain(),
      pages(),
      dashboard({
        alerts: [
          {
            id: 'crowded',
            title: 'More than one peer is connected',
            severity: 'warning',
            when: { metric: 'peers', op: '>', value: 1 },
          },
        ],
      }),
    ],
    transports: ['tcp'],
    listen: [listenAddress('tcp')],
  })

type Watched = Awaited<ReturnType<typeof startWatched>>

async function urlOf(swarm: Watched): Promise<string> {
  const { pages: served } = await until(swarm.state$, (state) => state.pages.url !== undefined)
  return `${served.url}dashboard/`
}

async function open(swarm: Watched, look?: Look): Promise<Browser> {
  const browser = await startChromium(look)
  await browser.page.goto(await urlOf(swarm))
  await browser.page.getByTestId('tile-peers').waitFor()
  return browser
}

const textOf = async (page: Page, id: string): Promise<string> => (await page.getByTestId(id).textContent()) ?? ''
const peersOf = (page: Page): Promise<readonly string[]> =>
  page
    .locator('[data-testid=peer-table] tr[data-peer]')
    .evaluateAll((rows) => rows.map((row) => row.dataset['peer'] ?? ''))
const join = (swarm: Swarm<ReturnType<typeof plain>> | Watched, topic: string) =>
  (swarm as Swarm<ReturnType<typeof plain>>).execute(gossipsub.subscribe({ topic })).subscribe()

describe.skipIf(noChromium !== undefined)(
  `the page of the dashboard${noChromium === undefined ? '' : ` (${noChromium})`}`,
  () => {
    let watched: Watched
    let first: Awaited<ReturnType<typeof startPlain>>
    let second: Awaited<ReturnType<typeof startPlain>>
    let browser: Browser

    beforeAll(async () => {
      watched = await startWatched()
      first = await startPlain(`${HOSTILE_AGENT}\u202e\u200b${'W'.repeat(4_000)}`)
      second = await startPlain()
      await connect(first, watched)
      join(first, HOSTILE_TOPIC)
      join(watched, 'news')
      await until(watched.state$, ({ gossipsub: { peers } }) => peers.has(HOSTILE_TOPIC))
      await until(watched.state$, ({ identify: known }) => known.has(first.self))
      browser = await open(watched)
    })
    afterAll(async () => {
      await browser?.[Symbol.asyncDispose]()
      await Promise.all([watched, first, second].map((swarm) => swarm?.[Symbol.asyncDispose]()))
    })

    it('shows what the node has: its id, addresses, peers, topics and lanes', async () => {
      const { page } = browser
      expect(await page.getByTestId('self').getAttribute('title')).toBe(watched.self)
      expect(await textOf(page, 'phase')).toBe('running')
      await eventually(async () => (await textOf(page, 'tile-peers')) === '1')
      const addresses = await page.getByTestId('addresses').locator('li').allTextContents()
      expect(addresses).toEqual(watched.addresses.map((address) => address.replace(/\/p2p\/.*/, '')))
      const topics = await page
        .locator('[data-testid=topic-list] [data-topic]')
        .evaluateAll((all) => all.map((one) => one.dataset['topic']))
      expect(new Set(topics)).toEqual(new Set([HOSTILE_TOPIC, 'news']))
      await page.getByRole('tab', { name: 'Table' }).click()
      expect(await peersOf(page)).toEqual([first.self])
      await eventually(async () => {
        const lanes = await firstValueFrom(watched.lanes$)
        const lane = lanes.find((one) => one.lane === 'normal')
        return (await textOf(page, 'started-normal')) === String(lane?.started)
      })
      await page.getByRole('tab', { name: 'Graph' }).click()
      await eventually(async () => (await page.getByTestId('graph').getAttribute('data-nodes')) === '1')
    })

    it('shows names of peers and topics as text and never runs them', async () => {
      const { page } = browser
      await page.getByRole('tab', { name: 'Table' }).click()
      await expect(page.getByText(HOSTILE_AGENT).first().textContent()).resolves.toContain(HOSTILE_AGENT)
      await page.locator('.peer-name').first().click()
      await expect(page.getByTestId('peer-side').textContent()).resolves.toContain(HOSTILE_AGENT)
      await expect(page.getByTestId('peer-side').textContent()).resolves.toContain(HOSTILE_TOPIC)
      expect(await textOf(page, 'whole-id')).toBe(first.self)
      expect(await page.locator('body').textContent()).not.toMatch(/[\u202e\u200b]/)
      const agent = await page.locator('.facts dd').first().boundingBox()
      expect(agent?.height).toBeLessThan(120)
      await page.getByRole('button', { name: 'Close the details' }).click()
      expect(await page.evaluate(() => (globalThis as { hurt?: number }).hurt)).toBeUndefined()
      expect(await page.locator('img[src=x], main script').count()).toBe(0)
    })

    it('raises an alert, has it acknowledged by a click, and shows it resolved', async () => {
      const { page } = browser
      const alert = page.locator('[data-testid=alert][data-rule=crowded]')
      await connect(second, watched)
      await eventually(async () => (await textOf(page, 'tile-peers')) === '2')
      await alert.and(page.locator('[data-state=raised]')).waitFor()
      await expect(page.getByTestId('spoken').textContent()).resolves.toContain('More than one peer is connected')
      expect(await page.getByTestId('bell').getAttribute('aria-label')).toBe('1 open alerts, 1 not acknowledged')
      await alert.getByRole('button', { name: 'Acknowledge' }).click()
      await alert.and(page.locator('[data-state=acknowledged]')).waitFor()
      const { dashboard: state } = await until(watched.state$, () => true)
      expect([...state.alerts.values()].map(({ rule, state: is }) => [rule, is])).toEqual([['crowded', 'acknowledged']])
      await second.stop()
      await alert.and(page.locator('[data-state=resolved]')).waitFor({ timeout: 20_000 })
      await eventually(async () => (await textOf(page, 'tile-peers')) === '1')
    })

    it('goes back to a time before a peer came, from a page that was opened later, and step by step to now', async () => {
      await using later = await open(watched)
      const { page } = later
      await page.getByRole('tab', { name: 'Table' }).click()
      await eventually(async () => (await peersOf(page)).includes(first.self))
      const slider = page.getByTestId('slider')
      await slider.focus()
      await eventually(async () => {
        await page.keyboard.press('Home') // what was before the page was opened may still be on its way
        return (await textOf(page, 'tile-peers')) === '0'
      })
      await page.getByTestId('past').waitFor()
      expect(await page.locator('[data-testid=peer-table]').count()).toBe(0)
      await page.locator('#main').focus()
      const seen: string[] = []
      for (let i = 0; i < 60 && !seen.includes('1'); i++) {
        await page.keyboard.press('ArrowRight')
        seen.push(await textOf(page, 'tile-peers'))
      }
      expect(seen[0]).toBe('0')
      expect(seen.at(-1)).toBe('1')
      await page.keyboard.press('ArrowLeft')
      expect(await textOf(page, 'tile-peers')).toBe('0')
      await page.getByTestId('live').click()
      await eventually(async () => (await page.getByTestId('past').count()) === 0)
      await eventually(async () => (await textOf(page, 'tile-peers')) === '1')
      expect(later.complaints).toEqual([])
    })

    it('finds events by words and type, and shows one in full', async () => {
      const { page } = browser
      const rows = page.locator('[data-testid=event-list] [role=option]')
      const search = page.getByRole('searchbox', { name: 'Search events' })
      await search.fill(`type:connection:open ${first.self.slice(-8)}`)
      await eventually(async () => (await rows.count()) === 1)
      expect(await rows.first().getAttribute('data-type')).toBe('connection:open')
      await rows.first().click()
      const json = JSON.parse((await page.getByTestId('event-detail').locator('pre').textContent()) ?? '') as {
        connection: { peer: string }
      }
      expect(json.connection.peer).toBe(first.self)
      await search.fill('no such words')
      await page.getByText('No event is found').waitFor()
      await search.fill('')
      await eventually(async () => (await rows.count()) > 5)
    })

    it('is used by keyboard alone: skip link, tabs, a peer in the graph, its details, an event', async () => {
      await using keyed = await open(watched)
      const { page } = keyed
      const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim().slice(0, 40) ?? '')
      await page.keyboard.press('Tab')
      expect(await focused()).toBe('To the content')
      await page.keyboard.press('Enter')
      const reach = async (label: string | RegExp) => {
        for (let i = 0; i < 60; i++) {
          await page.keyboard.press('Tab')
          const name = await page.evaluate(
            () =>
              document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? '',
          )
          if (typeof label === 'string' ? name === label : label.test(name)) return
        }
        throw new Error(`Tab does not reach ${label}`)
      }
      await reach('Graph')
      await page.keyboard.press('ArrowRight')
      expect(await page.getByRole('tab', { name: 'Table' }).getAttribute('aria-selected')).toBe('true')
      await page.keyboard.press('ArrowLeft')
      await reach(/^Graph of 1 peer\./)
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('Enter')
      await page.getByTestId('peer-side').waitFor()
      expect(await focused()).toMatch(/^Peer/)
      await page.keyboard.press('Escape')
      await eventually(async () => (await page.getByTestId('peer-side').count()) === 0)
      await reach(/^Events, newest first/)
      await page.keyboard.press('ArrowDown')
      await page.getByTestId('event-detail').waitFor()
      await reach('Close the event')
      await page.keyboard.press('Enter')
      await eventually(async () => (await page.getByTestId('event-detail').count()) === 0)
      const holder = () => page.evaluate(() => document.activeElement?.getAttribute('data-testid'))
      expect(await holder()).toBe('event-list')
      await page.getByTestId('slider').focus()
      await page.keyboard.press('Home')
      await page.getByTestId('past').waitFor()
      const moments = new Set<string>()
      for (let i = 0; i < 8; i++) {
        moments.add(await textOf(page, 'moment'))
        await page.keyboard.press('ArrowRight')
      }
      expect(moments.size).toBeGreaterThan(3)
      await reach('Back to live')
      await page.keyboard.press('Enter')
      await eventually(async () => (await page.getByTestId('past').count()) === 0)
      expect(await holder()).toBe('live')
      expect(keyed.complaints).toEqual([])
    })

    it('has nothing that axe objects to: light and dark, wide and narrow, live and in the past', async () => {
      await using judged = await open(watched)
      const { page } = judged
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
      const objections = () =>
        page.evaluate(async () => {
          const { axe } = globalThis as unknown as { axe: Axe }
          const { violations, passes } = await axe.run({
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
          })
          const all = violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`))
          return passes.length > 20 ? all : [...all, 'axe has looked at next to nothing']
        })
      await page.emulateMedia({ reducedMotion: 'reduce' })
      await page.getByRole('tab', { name: 'Table' }).click()
      await page.locator('.peer-name').first().click()
      await page.getByTestId('event-list').focus()
      await page.keyboard.press('End')
      await page.getByTestId('event-detail').waitFor()
      expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
      for (const isPast of [false, true]) {
        if (isPast) {
          await page.getByRole('button', { name: 'Close the details' }).click()
          await page.getByRole('tab', { name: 'Graph' }).click()
          await page.getByRole('searchbox', { name: 'Search events' }).fill('no such words')
          await page.getByTestId('slider').focus()
          await page.keyboard.press('PageDown')
          await page.getByTestId('past').waitFor()
        }
        for (const width of [1_280, 360]) {
          await page.setViewportSize({ width, height: 800 })
          await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
          await page.getByTestId('behaviours').waitFor()
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme })
            expect(await objections(), `${width} px, ${colorScheme}, ${isPast ? 'in the past' : 'live'}`).toEqual([])
          }
        }
      }
    })

    it.each([
      { width: 360, height: 740, scheme: 'dark' },
      { width: 768, height: 1_024, scheme: 'light' },
      { width: 3_840, height: 2_160, scheme: 'dark' },
    ] as const)('fits $width pixels, $scheme, without a horizontal scroll bar', async (look) => {
      await using sized = await open(watched, look)
      const { page } = sized
      await page.locator('.chart canvas').first().waitFor()
      await page.locator('.graph canvas').first().waitFor({ state: 'attached' })
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
      const boxes = await Promise.all(['graph', 'event-list'].map((id) => page.getByTestId(id).boundingBox()))
      for (const box of boxes) {
        expect(box?.height).toBeGreaterThan(170)
        expect(box?.width).toBeGreaterThan(300)
      }
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      expect(ground).toBe(look.scheme === 'dark' ? 'rgb(12, 15, 20)' : 'rgb(243, 244, 247)')
      await page.getByRole('button', { name: look.scheme === 'dark' ? 'light' : 'dark', exact: true }).click()
      const turned = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      expect(turned).toBe(look.scheme === 'dark' ? 'rgb(243, 244, 247)' : 'rgb(12, 15, 20)')
      expect(sized.complaints).toEqual([])
    })

    it('shows a recording from a file, steps through it, and says what of it could not be read', async () => {
      await using offline = await open(watched)
      const { page } = offline
      const history = await page.evaluate(async () => (await fetch('history')).text())
      const { items } = JSON.parse(history) as { items: readonly { type: string }[] }
      const lines = items.map((item) => JSON.stringify(item)).join('\n')
      await page.getByTestId('file').setInputFiles({
        name: 'cut.jsonl',
        mimeType: 'application/x-ndjson',
        buffer: Buffer.from(`${lines}\n{"type":"pe`),
      })
      await eventually(async () => (await textOf(page, 'link')).includes('recording'))
      expect(await textOf(page, 'trouble')).toContain('1 lines of the recording could not be read.')
      const before = await textOf(page, 'moment')
      await page.getByTestId('back').click()
      await page.getByTestId('past').waitFor()
      expect(await textOf(page, 'moment')).not.toBe(before)
      await page
        .getByTestId('file')
        .setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from([137, 80, 0]) })
      await eventually(async () => (await textOf(page, 'trouble')).includes("x.png can't be opened"))
      const header = { format: 'rxswarm-recording', version: 1, self: 'me', startedAt: 0, modules: [] }
      const head = sealed(JSON.stringify(['rxswarm', header]).slice(0, -1), 0)
      const event = sealed(JSON.stringify(['e', { type: 'start', at: 1 }]).slice(0, -1), head.check)
      const altered = `${head.text}\n${event.text.replace('start', 'stops')}\n`
      await page
        .getByTestId('file')
        .setInputFiles({ name: 'altered.rec', mimeType: 'text/plain', buffer: Buffer.from(altered) })
      await eventually(async () =>
        (await textOf(page, 'trouble')).includes(
          "altered.rec can't be opened: line 2, or what was before it, was altered",
        ),
      )
      expect(offline.complaints).toEqual([])
    })

    it('says what it can not read of the feed, and goes on with the rest', async () => {
      await using broken = await startChromium()
      const { page } = broken
      const url = await urlOf(watched)
      const hello = `event: hello\ndata: ${JSON.stringify({
        type: 'hello',
        version: 1,
        position: 0,
        self: watched.self,
        startedAt: 1,
        serverTimeMs: 2,
        modules: [],
        alertRules: [],
        view: emptyView({ self: watched.self }),
      })}\n\n`
      const nonsense = ['{"type":"batch"', '{"type":"batch","position":1,"items":[7],"examples":[]}', '{}']
      const odd = { type: 'connection:open', at: 3, connection: { peer: { not: 'text' }, via: 7 } }
      const told = { type: 'user:event', at: 4, words: '<b>bold</b>' }
      const rest = JSON.stringify({
        type: 'batch',
        position: 2,
        items: [odd, told],
        examples: [],
        skipped: { 'x:y': 40 },
      })
      await page.route('**/dashboard/feed', (route) =>
        route.fulfill({
          contentType: 'text/event-stream',
          body: hello + [...nonsense, rest].map((data) => `event: batch\ndata: ${data}\n\n`).join(''),
        }),
      )
      await page.goto(url)
      await page.getByTestId('trouble').waitFor()
      expect(await textOf(page, 'trouble')).toContain("something this page can't read")
      await page.locator('[data-testid=event-list] [data-type="user:event"]').first().waitFor()
      await expect(page.getByTestId('skipped').first().textContent()).resolves.toContain('40 not sent')
      await page.getByTestId('lost').waitFor()
      expect(await page.getByTestId('self').getAttribute('title')).toBe(watched.self)
      expect(broken.complaints).toEqual([])
    })

    it('asks nobody but its own node for anything, and complains of nothing', async () => {
      const { origin } = new URL(await urlOf(watched))
      expect(browser.requests.length).toBeGreaterThan(20)
      expect(browser.requests.filter((url) => new URL(url).origin !== origin)).toEqual([])
      expect(browser.complaints).toEqual([])
    })

    it('keeps what it last knew when the node goes, and says so', async () => {
      await using left = await startWatched()
      await connect(first, left)
      await using seen = await open(left)
      await eventually(async () => (await textOf(seen.page, 'tile-peers')) === '1')
      const { self } = left
      await left.stop()
      await eventually(async () => /ended|lost/.test(await textOf(seen.page, 'link')))
      expect(await seen.page.getByTestId('self').getAttribute('title')).toBe(self)
      expect(await seen.page.locator('[data-testid=tiles] .tile').count()).toBeGreaterThan(4)
    })
  },
)
