import type { Libp2p } from '@libp2p/interface'
import { defer, from } from 'rxjs'
import { askHop } from '../../libp2p/chains/askHop.ts'
import { carrying, carryingNeighbours, type CarryingOptions } from '../../libp2p/chains/carrying.ts'
import { chainSessions, type ChainSessionsOptions } from '../../libp2p/chains/chainSessions.ts'
import { directTo } from '../../libp2p/chains/directTo.ts'
import type { ChainsPorts } from './chainsBehaviour.ts'
import { HOP_PROTOCOL } from './chainWords.ts'
import { routesIn } from './chainRoutes.ts'

/** What {@link chainsPorts} is made with. */
export interface ChainsPortsOptions extends CarryingOptions, ChainSessionsOptions {}

/** Carriers that are asked for one search. */
const MOST_ASKED = 16

/** How long each may take. @unit milliseconds */
const ASK_MS = 2_000

/** Chains over a libp2p node. */
export function chainsPorts(node: Libp2p, options: ChainsPortsOptions): ChainsPorts {
  const { taken, ...carrier } = carrying(node, options)
  const { accept, ...sessions } = chainSessions(node, options)
  const routes = async (target: string, hops?: number) => {
    const carriers = (await carryingNeighbours(node)).filter((peer) => peer !== target).slice(0, MOST_ASKED)
    const told = await Promise.all(carriers.map((peer) => askNeighbour(node, peer, target)))
    return routesIn(new Map(told.flat()), node.peerId.toString(), target, hops)
  }
  return {
    ...carrier,
    ...sessions,
    accept: (request, granted) => defer(() => accept(taken(request), granted)),
    routes: (to, hops) => defer(() => from(routes(to, hops))),
  }
}

/** What a carrier tells of its neighbours; nothing when it does not tell. */
async function askNeighbour(node: Libp2p, peer: string, target: string) {
  const connection = directTo(node, peer)
  if (connection === undefined) return []
  try {
    const { stream, answer } = await askHop(
      connection,
      HOP_PROTOCOL,
      { type: 'ask', target },
      AbortSignal.timeout(ASK_MS),
    )
    stream.abort(new Error('it has answered'))
    return answer.type === 'neighbours' ? [[peer, answer] as const] : []
  } catch {
    return [] // the others may know a way
  }
}
