import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

/** A port that somebody holds and from which nothing ever comes. */
export interface Silent extends AsyncDisposable {
  /** Its multiaddr, without a peer id. */
  readonly address: string
}

/** A UDP port that takes datagrams and answers none. */
export async function silentUdp(): Promise<Silent> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `/ip4/127.0.0.1/udp/${socket.address().port}/quic-v1`,
    [Symbol.asyncDispose]: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** A TCP port that accepts connections and says nothing. */
export async function silentTcp(): Promise<Silent> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
