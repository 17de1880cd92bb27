import type { UPnPNATClient } from '@libp2p/upnp-nat'
import { z } from 'zod'
import { some, someMs, someWaitMs } from '../../../errors/optionKinds.ts'
import { problemsIn } from '../../../errors/problemsIn.ts'
import { ipPrefix } from '../../../security/access/ipMatch.ts'
import type { BehaviourModule, Services, Slice } from '../../vocabulary/behaviour.ts'
import { command, type CommandMeta } from '../../vocabulary/command.ts'
import type { CoreEvent } from '../../vocabulary/event.ts'
import { autonatService } from './autonatService.ts'
import { gatewayService } from './gatewayService.ts'
import { publicIp } from './publicIp.ts'
import { reachabilityBehaviour, type ReachabilityPorts } from './reachabilityBehaviour.ts'
import { UNKNOWN } from './reachabilityMachine.ts'
import { reachabilityPorts } from './reachabilityPorts.ts'
import type {
  ReachabilityCommand,
  ReachabilityEvent,
  ReachabilityReport,
  ReportReachability,
  WatchReachability,
} from './reachabilityVocabulary.ts'

/** How peers are asked to dial this node, and asked by others. */
export interface AutonatOptions {
  /** How long one question may take. Default: 30 000. @unit milliseconds, above 0 */
  readonly timeoutMs?: number
}

/** How a gateway is asked to forward. */
export interface UpnpOptions {
  /** Description URLs of gateways. Default: they are searched for in the local network by multicast. */
  readonly gateways?: readonly string[]
  /** What a gateway says is announced at once, without a peer that has tried it. Default: false. */
  readonly trustGateway?: boolean
  /** What speaks with gateways, in place of libp2p's own. */
  readonly client?: UPnPNATClient
}

/** Options of {@link reachability}. */
export interface ReachabilityOptions {
  /** Whether peers are asked to dial this node, and may ask it. Needs `identify`. Default: false. */
  readonly autonat?: boolean | AutonatOptions
  /** Whether gateways are asked to forward to this node. Needs `autonat`, or `trustGateway`. Default: false. */
  readonly upnp?: boolean | UpnpOptions
  /** How many networks must say the same before it counts: /16 of IPv4, /32 of IPv6. Default: 3. */
  readonly agree?: number
  /** How long a piece of evidence counts. Default: 40 minutes. @unit milliseconds, above 0 */
  readonly evidenceMs?: number
  /** Prefixes that count as public though they are not: a VPN, a test. Default: none. */
  readonly alsoPublic?: readonly string[]
}

/** What is said of us so long ago may have changed. @unit milliseconds @source go-libp2p's observed addresses, 40 min */
const EVIDENCE_MS = 40 * 60_000

/** @source AutoNAT v1: "more than 3 peers", which are counted by network here */
const AGREE = 3

const prefix = z.string('must be a prefix').refine((text) => ipPrefix(text).bits !== undefined, 'must be an IP prefix')

const schema = z
  .strictObject({
    autonat: z.union([z.boolean(), z.strictObject({ timeoutMs: someWaitMs.optional() })]).default(false),
    upnp: z
      .union([
        z.boolean(),
        z.strictObject({
          gateways: z.array(z.url('must be a URL'), 'must be a list of URLs').optional(),
          trustGateway: z.boolean('must be true or false').optional(),
          client: z.custom<UPnPNATClient>((value) => typeof value === 'object', 'must be a client').optional(),
        }),
      ])
      .default(false),
    agree: some.default(AGREE),
    evidenceMs: someMs.default(EVIDENCE_MS),
    alsoPublic: z.array(prefix, 'must be a list of prefixes').default([]),
  })
  .refine(({ autonat, upnp }) => upnp === false || autonat !== false || (upnp !== true && upnp.trustGateway === true), {
    path: ['upnp'],
    error: 'needs autonat, so that peers try what a gateway forwards; or trustGateway',
  })

type Parsed = z.output<typeof schema>

const state: Slice<ReachabilityReport, ReachabilityEvent | CoreEvent> = {
  initial: UNKNOWN,
  on: {
    'reachability:changed': (_, { status, addresses, reasons }) => ({ status, addresses, reasons }),
  },
}

function servicesOf({ autonat, upnp }: Parsed, isPublic: (ip: string) => boolean): Services {
  const { timeoutMs } = typeof autonat === 'boolean' ? ({} as AutonatOptions) : autonat
  const { gateways, trustGateway, client } = typeof upnp === 'boolean' ? ({} as UpnpOptions) : upnp
  const asked = {
    ...(gateways !== undefined && { gateways: [...gateways] }),
    ...(client !== undefined && { portMappingClient: client }),
    autoConfirmAddress: trustGateway === true,
  }
  return {
    ...(autonat !== false && { autonat: autonatService(timeoutMs === undefined ? {} : { timeout: timeoutMs }) }),
    ...(upnp !== false && { upnp: gatewayService(asked, isPublic) }),
  }
}

function module(
  options: ReachabilityOptions = {},
): BehaviourModule<'reachability', ReachabilityCommand, ReachabilityEvent, ReachabilityPorts, ReachabilityReport> {
  const { value, problems } = problemsIn('reachability', schema, options)
  const isUsable = problems.length === 0
  const isPublic = publicIp(isUsable ? value.alsoPublic : [])
  return {
    name: 'reachability',
    problems,
    needs: isUsable && value.autonat !== false ? ['identify'] : [],
    commands: {
      'reachability/report': { answers: { 'reachability:reported': ({ report }) => report } },
      'reachability/watch': { openEnded: true, answers: { 'reachability:reported': ({ report }) => report } },
    },
    services: isUsable ? servicesOf(value, isPublic) : {},
    state,
    options: value,
    ports: reachabilityPorts,
    behaviour: reachabilityBehaviour({ agree: value.agree, evidenceMs: value.evidenceMs, isPublic }),
  }
}

/**
 * Says whether others can open a connection to this node, and why that is thought: `reachability({ autonat, upnp })` for
 * `use`, and its commands. `state.reachability` is the latest report.
 */
export const reachability = Object.assign(module, {
  /** Reports once. @shape `execute` emits one report. */
  report: (meta?: CommandMeta): ReportReachability => command('reachability/report', {}, meta),
  /** Reports now and whenever it changes. @shape Open-ended. `execute` emits the report as it is, and each one that differs. */
  watch: (meta?: CommandMeta): WatchReachability => command('reachability/watch', {}, meta),
})
