/** A peer id as people tell it from others: its last six letters. Ids of one kind of key all begin alike. */
export function shortPeer(peer: string): string {
  return peer.length <= 9 ? peer : `…${peer.slice(-6)}`
}
