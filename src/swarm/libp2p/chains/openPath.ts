import { randomBytes } from '@libp2p/crypto'
import type { ConnectionEncrypter, Libp2p, MessageStream, Stream, Upgrader } from '@libp2p/interface'
import { ChainError } from '../../../errors/errors.ts'
import {
  END_PROTOCOL,
  HOP_PROTOCOL,
  UNBOUNDED,
  type ChainBudget,
  type ChainOpen,
  type ChainPath,
} from '../../behaviours/chains/chainWords.ts'
import type { TraceContext } from '../../vocabulary/command.ts'
import { connectTo } from '../connectTo.ts'
import { internalsOf } from '../createHost.ts'
import { parsePeer } from '../parse.ts'
import { askHop } from './askHop.ts'
import { directTo, isDirect } from './directTo.ts'
import { firstOf } from './firstOf.ts'
import { FramePath } from './framePath.ts'
import { signOpen } from './openSignature.ts'

/** Opens a path, from hop to hop, and encrypts it from end to end. */
export type OpenPath = (
  path: ChainPath,
  withinMs: number,
  signal: AbortSignal,
  trace: TraceContext | undefined,
) => Promise<FramePath>

/**
 * Opens paths for a node.
 *
 * @param least Carriers that grant less are not used.
 * @errors `ChainError` with the status of who refuses, and where; those of a dial of the first carrier
 */
export function pathOpener(node: Libp2p, least: ChainBudget): OpenPath {
  const { upgrader, privateKey } = internalsOf(node)
  return async (path, withinMs, signal, trace) => {
    const since = performance.now()
    const [first, target] = [path[0]!, path.at(-1)!]
    const open: ChainOpen = {
      chain: Buffer.from(randomBytes(16)).toString('hex'),
      opener: node.peerId.toString(),
      path,
      issuedAtMs: Date.now(),
      deadlineMs: withinMs,
      wanted: UNBOUNDED,
      least,
    }
    const connection = directTo(node, first) ?? (await firstOf(connectTo(node, first), signal))
    if (!isDirect(connection)) {
      throw new ChainError(`chain: ${first} is reached over a relay or a chain itself`, 'UNREACHABLE', { at: first })
    }
    const signed = await signOpen(privateKey, open)
    const carried = { trace, deadlineMs: withinMs - (performance.now() - since) }
    const protocol = path.length === 1 ? END_PROTOCOL : HOP_PROTOCOL
    const { stream, channel, answer } = await askHop(connection, protocol, { type: 'open', signed, carried }, signal)
    if (answer.type === 'opened') {
      return encrypted(channel.unwrap(), signal, async (raw) => {
        const remotePeer = parsePeer(target)
        const options = { signal, remotePeer, skipStreamMuxerNegotiation: true }
        const { connection: secured } = await noiseOf(upgrader).secureOutbound(raw, options)
        return new FramePath(secured, path, answer.granted)
      })
    }
    stream.abort(new Error('it was refused'))
    if (answer.type !== 'refused') {
      throw new ChainError(`chain: ${first} answers something else`, 'MALFORMED', { at: first })
    }
    const at = path[answer.hop] ?? first
    throw new ChainError(`chain: ${at} refuses: ${answer.text}`, answer.status, { at, peer: target })
  }
}

/** What the ends of a chain encrypt with. */
export function noiseOf(upgrader: Upgrader): ConnectionEncrypter<unknown> {
  const noise = upgrader.getConnectionEncrypters().get('/noise')
  if (noise !== undefined) return noise
  throw new ChainError('chain: the node has no Noise, which the ends of a chain speak', 'NOT_CARRYING')
}

/** Whatever fails before a path stands resets its stream. */
export async function encrypted(
  stream: Stream,
  signal: AbortSignal,
  encrypt: (raw: MessageStream) => Promise<FramePath>,
): Promise<FramePath> {
  try {
    const path = await encrypt(stream)
    signal.throwIfAborted()
    return path
  } catch (cause) {
    stream.abort(cause as Error)
    throw cause
  }
}
