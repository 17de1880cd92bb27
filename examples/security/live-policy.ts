import { access, connections, createSwarm, gossipsub, identify, ofType, ping, type AccessPolicy } from 'rxswarm'
import { catchError, distinct, firstValueFrom, lastValueFrom, map, merge, of } from 'rxjs'

// A node where everybody may do everything is to become stricter, without cutting off the wrong ones.
const open: AccessPolicy = { rules: [], default: 'allow' }
const node = () =>
  createSwarm({
    use: [connections(), identify(), ping(), gossipsub(), access({ policy: open, report: 'denied' })],
    listen: ['/ip4/127.0.0.1/udp/0/quic-v1'],
  })
await using hub = await node()
await using friend = await node()
await using guest = await node()
type Node = typeof hub

/** Whether a peer's ping gets through; guarded by nothing, so that one that is let through is one request. */
const pings = (from: Node) =>
  firstValueFrom(from.execute(ping.once({ peer: hub.self }, { policy: false }))).then(
    () => 'yes',
    () => 'no',
  )
/** Whether the hub may listen to a topic; it leaves again at once. */
const mayJoin = (topic: string) =>
  firstValueFrom(
    merge(hub.event$.pipe(ofType('gossipsub:joined')), hub.execute(gossipsub.subscribe({ topic }))).pipe(
      map(() => 'yes'),
      catchError(({ name }: Error) => of(name)),
    ),
  )
async function traffic(): Promise<void> {
  for (const one of [friend, guest]) await firstValueFrom(one.execute(connections.dial({ to: hub.addresses })))
  for (let i = 0; i < 3; i++) await pings(guest)
  await pings(friend)
  await mayJoin('secret/plans')
  await mayJoin('news')
}

// 1. The candidate runs beside the policy in force: it is asked too, and decides nothing.
const strict: AccessPolicy = {
  rules: [
    { id: 'no-pings-of-guests', effect: 'deny', protocol: '/ipfs/ping/*', peer: guest.self },
    { id: 'no-secrets', effect: 'deny', action: ['publish', 'subscribe'], topic: 'secret/*' },
  ],
  default: 'allow',
}
await lastValueFrom(hub.execute(access.shadow({ policy: strict })), { defaultValue: undefined })
await traffic()

// 2. What it would have changed, by rule.
const { differences, wouldDeny, wouldAllow } = await firstValueFrom(hub.execute(access.report()))
const row = (...cells: readonly string[]) =>
  console.log(
    cells
      .map((cell) => cell.padEnd(20))
      .join('')
      .trimEnd(),
  )
row('rule', 'now', 'then', 'what', 'times')
for (const { request, current, candidate, count } of differences) {
  row(candidate.id ?? 'default', current.effect, candidate.effect, request.action, String(count))
}
console.log(`would deny ${wouldDeny}, would allow ${wouldAllow}`)

// 3. Nothing surprising in it: now it decides. Whom it still allows notices nothing.
const { rules, closed } = await firstValueFrom(hub.execute(access.set({ policy: strict })))
console.log(`${rules} rules in force, ${closed.length} connections closed`)
console.log(`guest pings: ${await pings(guest)}, friend pings: ${await pings(friend)}`)
console.log(`secret/plans: ${await mayJoin('secret/plans')}`)

// 4. And nobody too often: two at once, then one in a thousand seconds, for each peer.
const limits = [
  { id: 'few-pings', per: 'peer', perSecond: 0.001, burst: 2, match: { protocol: '/ipfs/ping/*' } },
] as const
const limited$ = hub.event$.pipe(
  ofType('access:limited'),
  distinct(({ limit, peer }) => `${limit} ${peer}`), // a ping that is reset is tried twice more
)
limited$.subscribe(({ limit, peer }) => console.log(`  over ${limit}: ${peer === friend.self ? 'friend' : peer}`))
await lastValueFrom(hub.execute(access.limit({ limits })), { defaultValue: undefined })
for (let i = 1; i <= 3; i++) console.log(`friend's ping ${i}: ${await pings(friend)}`)
