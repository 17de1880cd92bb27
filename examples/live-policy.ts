import { access, connections, createSwarm, gossipsub, identify, ofType, ping, type AccessPolicy } from 'rxswarm'
import { distinct, firstValueFrom, lastValueFrom } from 'rxjs'

// A node that lets everybody do everything, and is to become stricter without cutting off the wrong ones.
const open: AccessPolicy = { rules: [], default: 'allow' }
const listen = ['/ip4/127.0.0.1/udp/0/quic-v1']
const use = () => [connections(), identify(), ping(), gossipsub(), access({ policy: open })] as const
await using hub = await createSwarm({ use: use(), listen })
await using guest = await createSwarm({ use: use(), listen })
await firstValueFrom(guest.execute(connections.dial({ to: hub.addresses })))

// First the new rules run beside those in force, and decide nothing.
const strict: AccessPolicy = {
  rules: [
    { id: 'no-pings-of-guests', effect: 'deny', peer: guest.self, protocol: '/ipfs/ping/*' },
    { id: 'no-secrets', effect: 'deny', action: ['publish', 'subscribe'], topic: 'secret/*' },
  ],
  default: 'allow',
}
await lastValueFrom(hub.execute(access.shadow({ policy: strict })), { defaultValue: undefined })
await firstValueFrom(guest.execute(ping.once({ peer: hub.self })))
const { wouldDeny, wouldAllow, differences } = await firstValueFrom(hub.execute(access.report()))
console.log(`would deny ${wouldDeny}, would allow ${wouldAllow}`)
for (const { request, candidate } of differences) console.log(`  ${request.protocol}: ${candidate.id}`)

// Nothing surprising in it: now they are put in force. Whoever they still allow notices nothing.
const denied$ = hub.event$.pipe(
  ofType('access:denied'),
  distinct(({ id }) => id),
)
denied$.subscribe(({ action, id }) => console.log(`denied ${action} by ${id}`))
const { rules, closed } = await firstValueFrom(hub.execute(access.set({ policy: strict })))

const failed = ({ name }: Error) => console.log(name)
await firstValueFrom(guest.execute(ping.once({ peer: hub.self }, { policy: false }))).catch(failed)
await firstValueFrom(hub.execute(gossipsub.subscribe({ topic: 'secret/plans' }))).catch(failed)
console.log(`${rules} rules in force, ${closed.length} connections closed`)
