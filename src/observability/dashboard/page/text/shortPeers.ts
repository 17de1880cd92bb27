import { shortPeer } from './shortPeer.ts'

const ID = /\b(12D3KooW|16Uiu2HA|Qm)[1-9A-HJ-NP-Za-km-z]{20,}/g

/** A text with every peer id in it shortened. */
export function shortPeers(text: string): string {
  return text.replaceAll(ID, (peer) => shortPeer(peer))
}
