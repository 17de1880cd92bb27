import { connections, createSwarm, identify, xstream, type XStream } from 'rxswarm'
import { firstValueFrom } from 'rxjs'

const node = () =>
  createSwarm({ use: [connections(), identify(), xstream()], listen: ['/ip4/127.0.0.1/udp/0/quic-v1'] })
await using alice = await node()
await using bob = await node()
async function shout(stream: XStream): Promise<void> {
  const words = new TextDecoder().decode(await stream.readToEnd(1_000)) // no more than that of a stranger's
  if (words === '') return stream.fail(new TextEncoder().encode('say something'))
  await stream.write(new TextEncoder().encode(words.toUpperCase()))
  await stream.end()
}
bob.execute(xstream.accept()).subscribe((stream) => void shout(stream).catch(() => undefined))
await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
for (const words of ['hello', '']) {
  await using stream = await firstValueFrom(alice.execute(xstream.open({ peer: bob.self })))
  await stream.write(new TextEncoder().encode(words))
  await stream.end()
  const answer = stream.readToEnd(1_000)
  console.log(
    await answer.then(
      (bytes) => new TextDecoder().decode(bytes),
      ({ name }: Error) => name,
    ),
  )
  console.log('error:', Buffer.from((await stream.error()) ?? []).toString() || 'none')
}
