import type { LinkView, PeerView } from '../../model/dashboardView.ts'
import { shortPeer } from '../text/shortPeer.ts'

/** How a peer is linked, in words: `direct by quic`, `relayed via …x3f9Qa`, `not connected`. */
export function linkText({ links }: PeerView): string {
  if (links.length === 0) return 'not connected'
  const texts = new Set(links.map(oneText))
  return [...texts].join('; ')
}

function oneText({ kind, transport, via }: LinkView): string {
  if (kind === 'direct') return `direct by ${transport}`
  const through = via.length === 0 ? '' : ` via ${via.map(shortPeer).join(', ')}`
  return `${kind}${through}`
}
