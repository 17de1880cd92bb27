import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connections, createSwarm, identify, xstream } from 'rxswarm'
import { firstValueFrom } from 'rxjs'
import { fileProgress } from './fileProgress.ts'
import { receiveFile } from './receiveFile.ts'
import { sendFile } from './sendFile.ts'

// Sends a file; the line is cut half way, and the next connection goes on from what the receiver has.
const { values } = parseArgs({ options: { file: { type: 'string' } } })
const folder = await mkdtemp(join(tmpdir(), 'send-file-'))
const path = values.file ?? join(folder, 'holiday.jpg')
if (values.file === undefined) await writeFile(path, Buffer.alloc(8 << 20, 'pixels of the sea '))

const { size } = await stat(path)

const node = () =>
  createSwarm({ use: [connections(), identify(), xstream()], listen: ['/ip4/127.0.0.1/udp/0/quic-v1'] })
await using alice = await node()
await using bob = await node()
const cut = () => bob.node.getConnections().forEach((line) => line.abort(new Error('somebody fell over the cable')))
const progress = fileProgress({ onHalf: cut })
const received: Promise<void>[] = []
bob.execute(xstream.accept()).subscribe((stream) => {
  const receiving = receiveFile(stream, folder, progress).catch(
    ({ message }: Error) => stream.fail(Buffer.from(message)).catch(() => undefined), // when the line is cut there is nobody to tell
  )
  received.push(receiving)
})

for (let retries = 0; ; retries++) {
  try {
    await firstValueFrom(alice.execute(connections.dial({ to: bob.addresses })))
    const start = await sendFile(await firstValueFrom(alice.execute(xstream.open({ peer: bob.self }))), path)
    console.log(
      `whole, the SHA-256 agrees; the last connection began at ${Math.floor((start / Math.max(size, 1)) * 100)} %`,
    )
    break
  } catch (error) {
    console.log(`${(error as Error).name}, going on from where it was`)
    if (retries === 3) throw error
  }
}
await Promise.all(received) // the receiver puts its file in its place yet
await rm(folder, { recursive: true })
