import { randomInt } from 'node:crypto'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import type { Libp2p } from '@libp2p/interface'
import { isLoopback, isPrivate } from '@libp2p/utils'
import { Circuit } from '@multiformats/multiaddr-matcher'
import multicastDns, { type MulticastDNS, type QueryPacket, type ResponsePacket } from 'multicast-dns'
import type { Answer, Packet } from 'dns-packet'
import { Observable } from 'rxjs'
import type { DiscoveryPorts } from './discoveryBehaviour.ts'
import type { MdnsWord } from './mdnsIntake.ts'
import { announcementPacket, META_SERVICE, readAnnouncements } from './mdnsRecords.ts'

/** How long others may take our word for it. @unit seconds @source libp2p mDNS implementations */
const TTL_SECONDS = 120

/** Answers are for all who ask, and this far apart. @unit milliseconds */
const ANSWER_EVERY_MS = 100

/** A DNS label holds 63 characters; a name of 40 of these 36 is nobody else's. */
const NAME_CHARACTERS = 40
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** The multicast group. @source RFC 6762, section 3 */
const GROUP = '224.0.0.251'

type Interface = Pick<NetworkInterfaceInfo, 'address' | 'netmask' | 'internal'>

/** The local network of a node: it is told of where it is, and heard. */
export function mdnsPorts(node: Libp2p): DiscoveryPorts['mdns'] {
  return ({ interfaces, announce, service, port, ask$ }) =>
    new Observable((out) => {
      const name = randomName()
      const sockets = new Map<string, MdnsSocket>()
      const open = (on: Interface) => {
        const socket = new MdnsSocket(on, port, interfaces !== undefined, {
          answered: (packet, from) => {
            const said = readAnnouncements(service, packet).filter(
              // not what we said, nor a node that is nowhere
              ({ name: of, addresses, ttlSeconds }) => of !== name && (addresses.length > 0 || ttlSeconds <= 0),
            )
            const isLocal = said.length > 0 && isOwnIp(from)
            for (const { addresses, ttlSeconds } of said)
              out.next({ addresses, ttlMs: ttlSeconds * 1_000, isLocal } satisfies MdnsWord)
          },
          asked: ({ questions = [] }) => {
            if (!announce) return
            const names = new Set(questions.map(({ name: of }) => of.toLowerCase()))
            if (names.has(META_SERVICE)) socket.answerSoon(META_SERVICE, sayKind)
            if (names.has(service.toLowerCase())) socket.answerSoon(service, say)
          },
          failed: (error) => {
            socket.close()
            sockets.delete(on.address)
            if (sockets.size === 0) out.error(error)
          },
        })
        const say = () => {
          const addresses = announced(node, on)
          if (announce && addresses.length > 0)
            socket.tell(announcementPacket(service, { name, addresses, ttlSeconds: TTL_SECONDS }))
        }
        const sayKind = () =>
          socket.tell({ answers: [{ name: META_SERVICE, type: 'PTR', ttl: TTL_SECONDS, data: service }] })
        sockets.set(on.address, socket)
        say()
      }
      /** Interfaces come and go, with a cable or a tunnel. */
      const keepUp = () => {
        const wanted = chosen(interfaces)
        for (const [address, socket] of sockets) {
          if (wanted.some((on) => on.address === address)) continue
          socket.close()
          sockets.delete(address)
        }
        for (const on of wanted) if (!sockets.has(on.address)) open(on)
        if (sockets.size === 0)
          throw new Error(`mdns: there is no interface ${interfaces?.join(', ') ?? 'with an IPv4 address'}`)
      }
      out.add(() => {
        for (const socket of sockets.values()) {
          const farewell = { name, addresses: announced(node, socket.on), ttlSeconds: 0 }
          socket.close(announce ? announcementPacket(service, farewell) : undefined)
        }
      })
      out.add(
        ask$.subscribe(() => {
          try {
            keepUp()
            for (const socket of sockets.values()) socket.ask(service)
          } catch (error) {
            out.error(error)
          }
        }),
      )
    })
}

/** What a socket hears. */
interface Hearer {
  answered(packet: ResponsePacket, from: string): void
  asked(packet: QueryPacket): void
  failed(error: Error): void
}

/** One interface: libp2p's own mDNS joins all of them, and can't be told otherwise. */
class MdnsSocket {
  readonly on: Interface
  readonly #mdns: MulticastDNS
  readonly #answeredAt = new Map<string, number>()
  readonly #answering = new Map<string, NodeJS.Timeout>()
  #isClosed = false

  constructor(on: Interface, port: number, isChosen: boolean, hearer: Hearer) {
    this.on = on
    // bound to every address: one that is bound to its interface's own gets no multicast
    this.#mdns = multicastDns({ port, ip: GROUP, interface: on.address, bind: '0.0.0.0' })
    // an interface that others have joined is heard too
    const isHeard = (from: string) => !isChosen || isWithin(from, on) || isOwnIp(from)
    const guarded = (from: string, hear: () => void) => void (!this.#isClosed && isHeard(from) && hear())
    this.#mdns.on('response', (packet, { address }) => guarded(address, () => hearer.answered(packet, address)))
    this.#mdns.on('query', (packet, { address }) => guarded(address, () => hearer.asked(packet)))
    this.#mdns.on('warning', () => undefined) // packets that are none, and groups that can't be joined twice
    this.#mdns.on('error', (error: Error) => void (this.#isClosed || hearer.failed(error)))
  }

  ask(service: string): void {
    this.#mdns.query([{ name: service, type: 'PTR', class: 'IN' }])
  }

  tell(packet: Packet): void {
    this.#mdns.respond(asAnswer(packet))
  }

  /** All who have asked the same meanwhile get one answer. */
  answerSoon(question: string, say: () => void): void {
    if (this.#answering.has(question) || this.#isClosed) return
    const waitMs = (this.#answeredAt.get(question) ?? -Infinity) + ANSWER_EVERY_MS - performance.now()
    const answer = () => {
      this.#answering.delete(question)
      this.#answeredAt.set(question, performance.now())
      say()
    }
    if (waitMs <= 0) return answer()
    this.#answering.set(question, setTimeout(answer, waitMs))
  }

  /** Closes when the last word is sent. */
  close(lastWord?: Packet): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const timer of this.#answering.values()) clearTimeout(timer)
    if (lastWord === undefined) return this.#mdns.destroy()
    this.#mdns.respond(asAnswer(lastWord), () => this.#mdns.destroy())
  }
}

/** Those that are named, by name or address; else all that lead somewhere, and on a host without any, the loopback. */
function chosen(names: readonly string[] | undefined): readonly Interface[] {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.filter(({ family }) => family === 'IPv4').map((one) => ({ name, ...one })),
  )
  if (names !== undefined) return all.filter(({ name, address }) => names.includes(name) || names.includes(address))
  const outside = all.filter(({ internal }) => !internal)
  return outside.length > 0 ? outside : all
}

/** Addresses that neighbours on an interface can use. @source libp2p mDNS specification: no relayed ones */
function announced(node: Libp2p, { internal }: Interface): readonly string[] {
  const usable = node.getMultiaddrs().filter((address) => isPrivate(address) && !Circuit.matches(address))
  const outside = usable.filter((address) => !isLoopback(address))
  return (internal || outside.length === 0 ? usable : outside).map(String)
}

/** The library wants the list of answers to be there. */
function asAnswer(packet: Packet): Packet & { readonly answers: Answer[] } {
  return { ...packet, answers: packet.answers ?? [] }
}

function isOwnIp(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((own) => own.address === address) === true)
}

function isWithin(address: string, { address: own, netmask }: Interface): boolean {
  const bits = (ip: string) => ip.split('.').reduce((all, part) => ((all << 8) | Number(part)) >>> 0, 0)
  return (bits(address) & bits(netmask)) === (bits(own) & bits(netmask))
}

function randomName(): string {
  return Array.from({ length: NAME_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
