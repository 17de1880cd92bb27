import { uPnPNAT, type UPnPNATClient, type UPnPNATComponents, type UPnPNATInit } from '@libp2p/upnp-nat'
import { isIPv4 } from 'node:net'
import { Subject, type Observable } from 'rxjs'
import { UnexpectedError } from '../../../errors/errors.ts'
import type { GatewayFact } from './reachabilityVocabulary.ts'

/** Port mapping of a node, with what the gateways did. */
export interface GatewayService {
  readonly gateway$: Observable<GatewayFact>
}

type Gateway = Awaited<ReturnType<UPnPNATClient['getGateway']>>

/** Longer failures of a gateway are cut: its words are in them. */
const MOST_TEXT = 200

/**
 * UPnP port mapping. The service logs what gateways do and tells nobody, so its client is listened to.
 *
 * @param isPublic A gateway whose own address is not public is behind another one, and what it forwards helps nobody.
 */
export function gatewayService(init: UPnPNATInit, isPublic: (ip: string) => boolean) {
  return (components: UPnPNATComponents): GatewayService => {
    const facts = new Subject<GatewayFact>()
    const failures = new Map<string, string>()
    const service = uPnPNAT(init)(components)
    const client = service.portMappingClient

    /** The same failure again and again is one. */
    const fail = (gateway: string | undefined, text: string, cause?: unknown) => {
      const about = gateway ?? ''
      if (failures.get(about) === text) return
      failures.set(about, text)
      const error = new UnexpectedError(text, { cause })
      facts.next({ type: 'reachability:gateway-failed', ...(gateway !== undefined && { gateway }), error })
    }
    const heard = (gateway: Gateway): Gateway => {
      const { host } = gateway
      const [map, externalIp] = [gateway.map.bind(gateway), gateway.externalIp.bind(gateway)]
      failures.delete('')
      gateway.map = async (port, inside, options) => {
        try {
          const mapping = await map(port, inside, options)
          const { externalHost, externalPort, protocol } = mapping
          const family = isIPv4(externalHost) ? 'ip4' : 'ip6'
          const place = protocol === 'UDP' ? `udp/${externalPort}/quic-v1` : `tcp/${externalPort}`
          failures.delete(host)
          facts.next({ type: 'reachability:mapped', gateway: host, address: `/${family}/${externalHost}/${place}` })
          return mapping
        } catch (error) {
          fail(host, `port ${port} was not forwarded: ${textOf(error)}`, error)
          throw error
        }
      }
      gateway.externalIp = async (options) => {
        try {
          const ip = await externalIp(options)
          if (!isPublic(ip))
            fail(host, `its own address ${ip.slice(0, MOST_TEXT)} is not public: another NAT is in front of it`)
          return ip
        } catch (error) {
          fail(host, `it does not tell its address: ${textOf(error)}`, error)
          throw error
        }
      }
      return gateway
    }
    const [find, get] = [client.findGateways.bind(client), client.getGateway.bind(client)]
    client.findGateways = async function* (options) {
      let found = 0
      try {
        for await (const gateway of find(options)) {
          found++
          yield heard(gateway)
        }
      } finally {
        if (found === 0) fail(undefined, 'no gateway answered')
      }
    }
    client.getGateway = async (url, options) => {
      try {
        return heard(await get(url, options))
      } catch (error) {
        fail(url.hostname, `it does not answer: ${textOf(error)}`, error)
        throw error
      }
    }
    return Object.assign(service, { gateway$: facts.asObservable() })
  }
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MOST_TEXT)
}
