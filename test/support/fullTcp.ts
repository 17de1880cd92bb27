import { connect, type Socket } from 'node:net'
import { startChild } from './child.ts'
import type { Silent } from './silent.ts'
import { pause } from './wait.ts'

/** More than its backlog holds. */
const FILLERS = 6

/** A TCP port whose backlog is full: a further connection is neither made nor refused. */
export async function fullTcp(): Promise<Silent> {
  const child = startChild('stuckListener.ts')
  const port = await child.said<number>()
  const fillers: Socket[] = []
  for (let i = 0; i < FILLERS; i++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    fillers.push(socket)
  }
  await pause(50)
  return {
    address: `/ip4/127.0.0.1/tcp/${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of fillers) socket.destroy()
      await child[Symbol.asyncDispose]()
    },
  }
}
