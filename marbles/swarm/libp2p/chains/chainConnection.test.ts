import type { Logger } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { ChainConnection } from '../../../../src/swarm/libp2p/chains/chainConnection.ts'
import type { ChainSession } from '../../../../src/swarm/libp2p/chains/chainSession.ts'

const PEER = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo'

const quiet = () => undefined
const log: Logger = Object.assign(() => undefined, { enabled: false, error: quiet, trace: quiet, newScope: () => log })

describe('ChainConnection', () => {
  it('waits for the other end no longer than it is told, also when that time is over already', async () => {
    const said: string[] = []
    const session = {
      peer: PEER,
      isOver: false,
      listen: () => undefined,
      finish: () => said.push('finish'),
      reset: (error: Error) => said.push(error.message),
    } as unknown as ChainSession
    const conn = new ChainConnection(session, 'outbound', log)
    await conn.close({ signal: AbortSignal.abort() })
    expect(said).toEqual(['finish', 'chain: closed, and the other end has not finished'])
    expect(conn.status).toBe('closed')
  })
})
