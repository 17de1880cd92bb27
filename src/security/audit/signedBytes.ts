/** Tells these signatures from all others that the same key makes. */
const DOMAIN = 'rxswarm audit signature 1'

/** How the text of a signature begins in its line. */
export const SIGNATURE = ',"signature":"'

/**
 * What the signature of an `audit:signed` line covers.
 *
 * @param prev  The hash of the line before: the head of the chain.
 * @param start The line up to its signature: number, time and signer.
 * @shape  UTF-8 of a domain, `prev` and `start`, each ended by a line break.
 * @source ours: the line itself and all lines before it, and nothing that any other protocol signs.
 */
export function signedBytes(prev: string, start: string): Uint8Array {
  return Buffer.from(`${DOMAIN}\n${prev}\n${start}\n`)
}
