import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { audit, connections, createSwarm, gossipsub, identify, ofType, verifyAudit, xauth } from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { filter, firstValueFrom, lastValueFrom, map, merge, take, toArray } from 'rxjs'

// Two organisations whose nodes trust each other, somebody whom nobody trusts, and an end of the partnership.
const [a, b, nobody] = await Promise.all([1, 2, 3].map(() => generateKeyPair('Ed25519')))
const folder = await mkdtemp(join(tmpdir(), 'two-organisations-'))
const logOf = (name: string) => join(folder, `${name}.log`)

const node = (name: string, owner = nobody!) =>
  createSwarm({
    use: [
      connections(),
      identify(),
      gossipsub(),
      xauth({ owner, trust: [a!.publicKey, b!.publicKey] }),
      audit({ path: logOf(name) }),
    ],
    listen: ['/ip4/127.0.0.1/udp/0/quic-v1'],
  })
type Node = Awaited<ReturnType<typeof node>>

/** Waits until so many others have joined the topic. */
const company = (of: Node, count: number) =>
  firstValueFrom(of.state$.pipe(filter(({ gossipsub: { peers } }) => (peers.get('prices')?.size ?? 0) === count)))

await using hub = await node('hub', a)
await using ann = await node('ann', a)
await using bea = await node('bea', b)
await using eve = await node('eve', nobody)
const guests = { ann, bea, eve }

/** A guest connects; what the hub makes of the proof that it shows. */
async function meet(guest: Node): Promise<string> {
  const verdict$ = merge(
    hub.event$.pipe(
      ofType('xauth:authenticated'),
      filter(({ peer }) => peer === guest.self),
      map(() => 'welcome'),
    ),
    hub.event$.pipe(
      ofType('xauth:failed'),
      filter(({ peer }) => peer === guest.self),
      map(({ reason }) => `refused, ${reason}`),
    ),
  )
  const verdict = firstValueFrom(verdict$)
  guest.execute(connections.dial({ to: hub.addresses })).subscribe({ error: () => undefined }) // the hub may hang up at once
  return verdict
}
for (const [name, guest] of Object.entries(guests)) console.log(`${name}: ${await meet(guest)}`)

/** The hub tells its news; so many hear it. */
async function tell(news: string, hearers: number): Promise<void> {
  const heard = Object.entries(guests).map(([name, { event$ }]) =>
    event$.pipe(
      ofType('gossipsub:message'),
      filter(({ data }) => new TextDecoder().decode(data) === news),
      map(() => name),
    ),
  )
  const names = firstValueFrom(merge(...heard).pipe(take(hearers), toArray()))
  await firstValueFrom(hub.execute(gossipsub.publish({ topic: 'prices', data: new TextEncoder().encode(news) })))
  console.log(`${news}: heard by ${(await names).toSorted().join(' and ')}`)
}
for (const one of [hub, ann, bea, eve]) one.execute(gossipsub.subscribe({ topic: 'prices' })).subscribe()
await company(hub, 2)
await tell('tea 3, coffee 4', 2)

// The partnership is over: what B's nodes were allowed ends at once, and they are refused from now on.
const closed = await firstValueFrom(hub.execute(xauth.revoke({ owner: b!.publicKey })))
await company(hub, 1)
console.log(`B is revoked: ${closed.length} connection closed`)
await firstValueFrom(bea.state$.pipe(filter(({ peers }) => !peers.has(hub.self)))) // she has noticed
console.log(`bea: ${await meet(bea)}`)
await tell('tea 5, coffee 6', 1)

await lastValueFrom(hub.execute(audit.note({ event: 'app:partnership-ended' })), { defaultValue: undefined })
await hub.stop() // signs the end of the log
const { ok, unsigned, problems } = await verifyAudit(logOf('hub'), { publicKeys: [hub.self] })
console.log(`audit log: ${ok ? 'intact' : 'changed'}, ${unsigned} lines unsigned, ${problems.length} problems`)
await Promise.all([ann, bea, eve].map((guest) => guest.stop())) // they write to their logs until then
await rm(folder, { recursive: true })
