import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Callers } from '../../../src/observability/pages/callersServer.ts'

/** As much of a socket as is looked at. */
function socketFrom(remoteAddress: string): Socket {
  const socket = Object.assign(new EventEmitter(), { remoteAddress, bytesRead: 0, destroy: () => socket.emit('close') })
  return socket as unknown as Socket
}

const enter = (callers: Callers, ip: string, count: number) =>
  Array.from({ length: count }, () => socketFrom(ip)).filter((socket) => callers.enter(socket))

describe('Callers', () => {
  it('drops who of one IP comes when too many of it wait to be turned away, and takes in the others', () => {
    const callers = new Callers({ all: 100, perLocalIp: 10, perIp: 4 })
    expect(enter(callers, '192.0.2.1', 500)).toHaveLength(4 + 64)
    expect(enter(callers, '127.0.0.1', 2_000)).toHaveLength(10 + 960)
    const [other] = enter(callers, '192.0.2.2', 1)
    expect(callers.get(other!)!.isLate).toBe(false)
  })
  it('seats who has come late as soon as one of its IP has left, and not before', () => {
    const callers = new Callers({ all: 100, perLocalIp: 10, perIp: 1 })
    const [first, late] = enter(callers, '192.0.2.1', 2)
    expect(callers.seat(callers.get(late!)!)).toBe(false)
    first!.destroy()
    expect(callers.seat(callers.get(late!)!)).toBe(true)
  })
  it('keeps nothing of who has left', () => {
    const callers = new Callers({ all: 10, perLocalIp: 2, perIp: 1 })
    const sockets = [...enter(callers, '127.0.0.1', 50), ...enter(callers, '192.0.2.1', 50)]
    expect(callers.ips).toBe(2)
    for (const socket of sockets) socket.destroy()
    expect(callers.ips).toBe(0)
    expect(enter(callers, '192.0.2.1', 1).map((socket) => callers.get(socket)!.isLate)).toEqual([false])
  })
})
