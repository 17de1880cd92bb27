import { InvalidCommandError } from '../../errors/errors.ts'

/** Anything that names a peer: its id as text, or libp2p's `PeerId`. */
export type PeerRef = string | { toString(): string }

/** Throws when a command's peer can't be one to talk to. @errors `InvalidCommandError` that names `peer` */
export function checkPeer(peer: unknown, self: string): void {
  const field = 'peer'
  if (typeof peer !== 'string' || peer === '' || peer === 'undefined') {
    throw new InvalidCommandError(`peer: must be a peer id as text, not ${JSON.stringify(peer)}`, { field })
  }
  if (peer === self) throw new InvalidCommandError(`peer: ${peer} is this node itself`, { field, peer })
}
