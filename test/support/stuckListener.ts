// Listens on a TCP port with a short backlog, says which, and never turns its loop again: it accepts nobody.
import { writeSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'

const server = createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  writeSync(1, `${JSON.stringify((server.address() as AddressInfo).port)}\n`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
