import { access, connections, createSwarm, type AccessPolicy, type AccessRequest } from 'rxswarm'
import { firstValueFrom } from 'rxjs'

const policy: AccessPolicy = {
  rules: [
    { id: 'our-office', effect: 'allow', address: '192.0.2.0/24' },
    { id: 'no-gossip-about-pay', effect: 'deny', action: ['publish', 'subscribe'], topic: 'pay/*' },
    { id: 'nobody-from-there', effect: 'deny', address: ['198.51.100.0/24', '2001:db8::/32'], direction: 'inbound' },
  ],
  default: 'allow',
}
const limits = [
  { id: 'peers', per: 'peer', perSecond: 50 },
  { id: 'subnets', per: 'subnet', perSecond: 500 },
] as const
await using node = await createSwarm({ use: [connections(), access({ policy, limits })], listen: [] })
const wants: readonly AccessRequest[] = [
  { action: 'accept', direction: 'inbound', address: '192.0.2.7' },
  { action: 'accept', direction: 'inbound', address: '198.51.100.1' },
  { action: 'dial', direction: 'outbound', address: '198.51.100.1' },
  { action: 'publish', direction: 'outbound', topic: 'pay/june' },
]
for (const request of wants) {
  const { decision } = await firstValueFrom(node.execute(access.explain({ request })))
  console.log(`${request.action}: ${decision.effect} (${decision.id ?? 'default'})`)
}
