import type { Connection, Libp2p } from '@libp2p/interface'
import { randomBytes } from '@libp2p/crypto'
import { finalize, mergeMap, Observable, Subject, tap } from 'rxjs'
import { fromAbortable } from '../../../operators/fromAbortable.ts'
import { AccessDeniedError, ChainError, type SwarmError } from '../../../errors/errors.ts'
import type { ChainsPorts, StandingChain } from '../../behaviours/chains/chainsBehaviour.ts'
import type { ChainInfo } from '../../behaviours/chains/chainsVocabulary.ts'
import { UNBOUNDED, type ChainBudget, type ChainPath } from '../../behaviours/chains/chainWords.ts'
import { textPayload } from '../../behaviours/chains/frames.ts'
import type { PathSample } from '../../behaviours/chains/pathQuality.ts'
import type { SessionDecisions } from '../../behaviours/chains/sessionState.ts'
import { asSwarmError } from '../../perform.ts'
import { connectionInfo } from '../connectionInfo.ts'
import { internalsOf } from '../createHost.ts'
import { parsePeer } from '../parse.ts'
import { usable } from '../usable.ts'
import { wireTraceOf } from '../wireTrace.ts'
import { followOpen, leftOf, type Waiting } from './carrying.ts'
import { ChainConnection } from './chainConnection.ts'
import { ChainSession, type PathKeeper } from './chainSession.ts'
import { encodeChainAnswer } from './chainWire.ts'
import { FramePath } from './framePath.ts'
import { encrypted, noiseOf, pathOpener } from './openPath.ts'
import { decodeHello, decodeWelcome, encodeHello, encodeWelcome } from './helloWire.ts'

/** What {@link chainSessions} is made with. */
export interface ChainSessionsOptions extends SessionDecisions {
  /** Carriers that grant less are not used. */
  readonly least: ChainBudget
  /** Sessions of one opener that end here, also those that have no path just now. */
  readonly perOpener: number
  /** Sessions that end here in all. */
  readonly inAll: number
}

/** The sessions of a node, at either end. */
export type ChainSessions = Pick<ChainsPorts, 'open' | 'resume' | 'end' | 'broken$' | 'measured$' | 'closed$'> & {
  /** Takes a path that ends here. */
  accept(taken: Waiting | undefined, granted: ChainBudget): Observable<ChainInfo>
}

/** How long the opener of a path that ends here may take to say what it is for. @unit milliseconds */
const HELLO_MS = 10_000

/** Opens, accepts and resumes sessions, and makes libp2p's connections of them. */
export function chainSessions(node: Libp2p, options: ChainSessionsOptions): ChainSessions {
  const { upgrader, connectionGater, logger } = internalsOf(node)
  const log = logger.forComponent('rxswarm:chain')
  const opened = new Map<string, ChainSession>()
  const accepted = new Map<string, ChainSession>()
  const broken$ = new Subject<{ readonly session: string; readonly error?: SwarmError }>()
  const measured$ = new Subject<{ readonly peer: string; readonly path: ChainPath } & PathSample>()
  const closed$ = new Subject<{ readonly session: string; readonly bytes: number; readonly error?: SwarmError }>()

  const openPath = pathOpener(node, options.least)

  /** Says over a new path which session it is for. @returns how much of it the other end has */
  const introduce = async (
    path: FramePath,
    session: ChainSession,
    resume: boolean,
    total: ChainBudget,
    signal: AbortSignal,
  ) => {
    const { id, received } = session
    path.send({ type: 'hello', at: 0, payload: encodeHello({ session: id, resume, received, total }) })
    const answer = await path.next(signal)
    if (answer.type === 'welcome') return decodeWelcome(answer.payload)
    const said = answer.type === 'refused' ? new TextDecoder().decode(answer.payload) : `it answers by ${answer.type}`
    const error = new ChainError(`chain: ${session.peer} does not take the session: ${said}`, 'DENIED', {
      at: session.peer,
    })
    path.drop(error)
    throw error
  }

  const keeperOf = (id: string, all: Map<string, ChainSession>, hears: () => boolean): PathKeeper => {
    const isStopping = () => node.status !== 'started'
    return {
      onLost: (_path, error) => {
        if (isStopping() || (all === opened && !hears())) all.get(id)?.reset(error)
        else if (all === opened) broken$.next({ session: id, error })
      },
      onEnding: () => void (all === opened && hears() && broken$.next({ session: id })),
      onMeasured: (path, sample) => {
        const session = all.get(id)
        if (all === opened && session !== undefined) measured$.next({ peer: session.peer, path: path.path, ...sample })
      },
      onOver: (error) => {
        const session = all.get(id)
        all.delete(id)
        const bytes = session?.bytes ?? 0
        if (hears()) closed$.next({ session: id, bytes, ...(error === undefined ? {} : { error }) })
      },
    }
  }
  const limitsOf = ({ bytes, ms }: ChainBudget) =>
    bytes === Infinity && ms === Infinity
      ? {}
      : {
          limits: {
            ...(bytes === Infinity ? {} : { bytes: BigInt(Math.floor(bytes)) }),
            ...(ms === Infinity ? {} : { seconds: Math.ceil(ms / 1_000) }),
          },
        }

  const open = async (path: ChainPath, total: ChainBudget, withinMs: number, signal: AbortSignal) => {
    const trace = wireTraceOf(node)?.outgoing()
    const peer = path.at(-1)!
    if ((await connectionGater.denyDialPeer?.(parsePeer(peer))) === true) {
      throw new AccessDeniedError(`dial ${peer}: a connection gater denies it`, { peer })
    }
    const frames = await openPath(path, withinMs, signal, trace)
    const id = Buffer.from(randomBytes(16)).toString('hex')
    let isAnnounced = false
    const session = new ChainSession(
      id,
      peer,
      { ...options, total },
      keeperOf(id, opened, () => isAnnounced),
    )
    opened.set(id, session)
    try {
      session.join(frames, await introduce(frames, session, false, total, signal))
      const remotePeer = parsePeer(peer)
      const connection = await upgrader.upgradeOutbound(new ChainConnection(session, 'outbound', log), {
        signal,
        skipEncryption: true,
        skipProtection: true,
        remotePeer,
        ...limitsOf(total),
      })
      const info: ChainInfo = { session: id, peer, direction: 'outbound', path, connection: connection.id }
      const announce = () => void (isAnnounced = true)
      return {
        connection,
        session,
        announce,
        standing: { info, connection: connectionInfo(connection), granted: frames.granted },
      }
    } catch (error) {
      frames.drop(error as Error)
      session.reset(asSwarmError(error))
      throw error
    }
  }

  const begin = async (
    frames: FramePath,
    peer: string,
    path: ChainPath,
    id: string,
    total: ChainBudget,
    signal: AbortSignal,
  ) => {
    const key = `${peer} ${id}` // two openers may give the same name to their sessions
    const ofPeer = [...accepted.keys()].filter((one) => one.startsWith(`${peer} `)).length
    if (accepted.has(key)) throw new ChainError('chain: the session is there already', 'DENIED')
    if (ofPeer >= options.perOpener || accepted.size >= options.inAll) {
      throw new ChainError('chain: too many sessions end here', 'OVERLOADED')
    }
    let isAnnounced = false
    const session = new ChainSession(
      id,
      peer,
      { ...options, total },
      keeperOf(key, accepted, () => isAnnounced),
    )
    accepted.set(key, session)
    const conn = new ChainConnection(session, 'inbound', log)
    let connection: Connection | undefined
    const onOpen = ({ detail }: CustomEvent<Connection>) => {
      if (detail.remoteAddr === conn.remoteAddr) connection = detail
    }
    node.addEventListener('connection:open', onOpen)
    try {
      frames.send({ type: 'welcome', at: 0, payload: encodeWelcome(0) })
      session.join(frames, 0)
      await upgrader.upgradeInbound(conn, {
        signal,
        skipEncryption: true,
        skipProtection: true,
        remotePeer: parsePeer(peer),
        ...limitsOf(total),
      })
      isAnnounced = true
      const info: ChainInfo = {
        session: key,
        peer,
        direction: 'inbound',
        path,
        connection: connection?.id ?? '',
      }
      return info
    } catch (error) {
      session.reset(asSwarmError(error))
      throw error
    } finally {
      node.removeEventListener('connection:open', onOpen)
    }
  }

  /** Encrypts, and finds out whether a session begins or goes on. */
  const take = async (
    one: Waiting,
    granted: ChainBudget,
    signal: AbortSignal,
    told: (info: ChainInfo | undefined) => void,
  ) => {
    const request = one.asked as Extract<Waiting['asked'], { type: 'open' }>
    const { open: asked } = request
    const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(Math.min(HELLO_MS, leftOf(request))))])
    await one.channel.write(encodeChainAnswer({ type: 'opened', granted }), { signal: limit })
    const carriers = asked.path.slice(0, -1).toReversed()
    const path = [...carriers, asked.opener]
    const frames = await encrypted(one.channel.unwrap(), limit, async (raw) => {
      const secured = await noiseOf(upgrader).secureInbound(raw, { signal: limit, skipStreamMuxerNegotiation: true })
      const isOpener = secured.remotePeer.toString() === asked.opener
      if (!isOpener) throw new ChainError(`chain: ${secured.remotePeer} has not opened it`, 'DENIED')
      return new FramePath(secured.connection, path, UNBOUNDED)
    })
    try {
      const hello = await frames.next(limit)
      if (hello.type !== 'hello') throw new ChainError(`chain: it begins by ${hello.type}`, 'MALFORMED')
      const { session: id, resume, received, total } = decodeHello(hello.payload)
      if (resume) {
        const session = accepted.get(`${asked.opener} ${id}`)
        if (session === undefined || session.isOver) throw new ChainError('chain: there is no such session', 'DENIED')
        frames.send({ type: 'welcome', at: 0, payload: encodeWelcome(session.received) })
        session.join(frames, received, true)
        told(undefined)
      } else told(await begin(frames, asked.opener, path, id, total, limit))
    } catch (error) {
      frames.send({ type: 'refused', at: 0, payload: textPayload((error as Error).message) })
      frames.close(HELLO_MS)
      throw error
    }
    await frames.whenGone
  }

  return {
    broken$,
    measured$,
    closed$,
    open: (path, total, withinMs) =>
      fromAbortable((signal) => open(path, total, withinMs, signal)).pipe(
        mergeMap(({ connection, session, announce, standing }) => {
          let isKept = false
          return new Observable<StandingChain>((out) =>
            usable(node, connection, true).subscribe({
              next: () => {
                isKept = true
                if (session.isOver) return out.error(new ChainError('chain: it broke at once', 'UNREACHABLE'))
                announce()
                out.next(standing)
                out.complete()
              },
              error: (error: unknown) => out.error(error),
            }),
          ).pipe(
            tap({ error: () => session.reset(new ChainError('chain: it is not usable', 'DENIED')) }),
            finalize(() => void (isKept || connection.abort(new Error('the chain was given up')))),
          )
        }),
      ),
    resume: (id, path, withinMs) =>
      fromAbortable(async (signal) => {
        const trace = wireTraceOf(node)?.outgoing()
        const session = opened.get(id)
        if (session === undefined) throw new ChainError('chain: the session is over', 'DENIED')
        const frames = await openPath(path, withinMs, signal, trace)
        try {
          const received = await introduce(frames, session, true, UNBOUNDED, signal)
          signal.throwIfAborted()
          assertStands(frames) // or the one before would be let go of for nothing
          session.join(frames, received)
          assertStands(frames) // what came behind the welcome may have ended it
          return frames.granted
        } catch (error) {
          frames.drop(error as Error)
          throw error
        }
      }),
    end: (id, error) =>
      new Observable((out) => {
        opened.get(id)?.reset(error)
        out.complete()
      }),
    accept: (taken, granted) =>
      new Observable((out) => {
        const controller = new AbortController()
        out.add(() => controller.abort())
        if (taken === undefined) return out.error(new ChainError('chain: who asked is gone', 'UNREACHABLE'))
        const at = taken.asked.type === 'open' ? taken.asked.open.path.length - 1 : 0
        const span = followOpen(node, taken, 'chain.end', at)
        const told = (info: ChainInfo | undefined) => {
          span?.end()
          if (info !== undefined) out.next(info)
        }
        take(taken, granted, controller.signal, told).then(
          () => out.complete(),
          (error: unknown) => {
            span?.end(error)
            out.error(error)
          },
        )
      }),
  }
}

/** Who opened a path hears of its end only once it is in use. @errors `ChainError` */
function assertStands({ isGone }: FramePath): void {
  if (isGone) throw new ChainError('chain: the path broke at once', 'UNREACHABLE')
}
