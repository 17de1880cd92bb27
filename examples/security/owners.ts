import { connections, createSwarm, identify, xauth, type AuthRequest } from 'rxswarm'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { firstValueFrom, map, type Observable } from 'rxjs'

const [shop, supplier] = await Promise.all([1, 2].map(() => generateKeyPair('Ed25519')))
const listen = ['/ip4/127.0.0.1/udp/0/quic-v1']
// An operator from requests to decisions: here, suppliers are let in when they say what for.
const approve = (request$: Observable<AuthRequest>) =>
  request$.pipe(
    map(({ request, metadata }) => ({ request, approve: metadata['for'] === 'orders', reason: 'what for?' })),
  )
await using till = await createSwarm({ use: [connections(), identify(), xauth({ owner: shop!, approve })], listen })
const van = (metadata = {}) =>
  createSwarm({
    use: [connections(), identify(), xauth({ owner: supplier!, trust: [shop!.publicKey], metadata })],
    listen,
  })
await using vague = await van()
await using clear = await van({ for: 'orders' })
for (const one of [vague, clear]) {
  await firstValueFrom(one.execute(connections.dial({ to: till.addresses })))
  const report = firstValueFrom(one.execute(xauth.authenticate({ peer: till.self })))
  console.log(
    await report.then(
      ({ owner }) => owner === String(shop!.publicKey),
      ({ message }: Error) => message.split(': ').at(-1),
    ),
  )
}
