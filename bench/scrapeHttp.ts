import { filter, firstValueFrom } from 'rxjs'
import { setTimeout as after } from 'node:timers/promises'
import { connections, createSwarm, gossipsub, identify, kad, ping } from 'rxswarm'
import { metrics, pages } from 'rxswarm/observability'
import { compare, type Bench } from './compare.ts'
import { forked } from './forked.ts'
import { interleave } from './interleave.ts'
import type { Scraped } from './scraper.ts'
import { until } from './until.ts'

const CONNECTIONS = 1_000
const ROUNDS = 21
const TIMES = 3

/** Longer than a heartbeat of gossip, which looks at each new peer. */
const SETTLE_MS = 1_500

const start = () =>
  createSwarm({
    use: [connections(), identify(), ping(), gossipsub(), kad(), metrics(), pages()],
    transports: ['tcp'],
    listen: ['/ip4/127.0.0.1/tcp/0'],
  })
type Node = Awaited<ReturnType<typeof start>>

/** Looks at the event loop as long as something lasts. @returns The longest turn. @unit milliseconds */
async function heldWhile(work: () => Promise<unknown>): Promise<number> {
  let held = 0
  let last = performance.now()
  let immediate = setImmediate(function look() {
    const now = performance.now()
    held = Math.max(held, now - last)
    last = now
    immediate = setImmediate(look)
  })
  await work()
  clearImmediate(immediate)
  return held
}

/** The best of some: a machine that is busy with something else takes turns away, and never gives any. */
async function leastHeld(work: () => Promise<unknown>): Promise<number> {
  const held: number[] = []
  for (let time = 0; time < TIMES; time++) held.push(await heldWhile(work))
  return Math.min(...held)
}

const scraping: Bench = {
  names: [`scrape-http-${CONNECTIONS}`, `scrape-http-${CONNECTIONS}-holds`],
  run: async () => {
    const [hub, idle] = await Promise.all([start(), start()])
    const scraper = forked<Scraped>('scraper.ts')
    const dialers = forked('scrapeDialers.ts', String(CONNECTIONS))
    const urlOf = async ({ state$ }: Node) => {
      const { pages: listening } = await firstValueFrom(state$.pipe(filter(({ pages: { url } }) => url !== undefined)))
      return `${listening.url!}metrics`
    }
    const urls = { hub: await urlOf(hub), idle: await urlOf(idle) }
    const scrape = async (url: string) => {
      scraper.tell({ url })
      return scraper.said<Scraped>()
    }
    try {
      await dialers.said()
      dialers.tell({ dial: hub.addresses[0]! })
      await dialers.said()
      await until('the hub has all connections', () => hub.node.getConnections().length === CONNECTIONS, 60_000)
      await after(SETTLE_MS)
      const times = await interleave(
        { ours: async () => (await scrape(urls.hub)).ms, idle: async () => (await scrape(urls.idle)).ms },
        { rounds: ROUNDS, warmUps: 3 },
      )
      const { ms } = await scrape(urls.hub)
      const holds = await interleave(
        { ours: async () => leastHeld(() => scrape(urls.hub)), idle: async () => leastHeld(() => after(ms)) },
        { rounds: ROUNDS, warmUps: 3 },
      )
      const [time, hold] = scraping.names as [string, string]
      return [
        compare(times.ours, times.idle, {
          name: time,
          unit: 'ms',
          better: 'less',
          peerName: 'without peers',
          oursAtMost: 50,
        }),
        compare(holds.ours, holds.idle, {
          name: hold,
          unit: 'ms',
          better: 'less',
          peerName: 'unscraped',
          oursAtMost: 10,
        }),
      ]
    } finally {
      for (const one of [scraper, dialers]) one.stop()
      await Promise.all([hub.stop(), idle.stop()])
    }
  },
}

/** What a scrape over HTTP takes of a node that a thousand peers are connected to over TCP, and how long it holds the event loop. */
export const scrapesHttp: readonly Bench[] = [scraping]
