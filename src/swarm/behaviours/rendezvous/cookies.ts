import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { CookieSeal } from './rendezvousVocabulary.ts'

const VERSION = 1
const MARK_BYTES = 8
const SEQ_BYTES = 8
const MAC_BYTES = 16
const LENGTH = MARK_BYTES + Math.ceil(((1 + SEQ_BYTES + MAC_BYTES) * 4) / 3)

/**
 * Cookies of a rendezvous point: the mark of its key (8 bytes), then as base64url `version (1) number (8, big-endian)
 * MAC (16)`.
 *
 * @param key 32 secret bytes, kept with the registrations: without them their numbers mean nothing.
 * @shape  The MAC is over the namespace too, so that a cookie of another one is found out. Text behind eight bytes, because
 *         rust-libp2p takes every cookie for a number and a namespace.
 * @source libp2p rendezvous r3: a cookie is opaque; HMAC-SHA256 is ours.
 */
export function cookieSeal(key: Uint8Array): CookieSeal {
  const mark = createHash('sha256').update('rxswarm rendezvous cookie').update(key).digest().subarray(0, MARK_BYTES)
  const macOf = (namespace: string | undefined, head: Uint8Array) =>
    createHmac('sha256', key)
      .update(head)
      .update(namespace === undefined ? 'all' : `of ${namespace}`)
      .digest()
      .subarray(0, MAC_BYTES)
  return {
    seal: (namespace, seq) => {
      const head = Buffer.alloc(1 + SEQ_BYTES)
      head[0] = VERSION
      head.writeBigUInt64BE(BigInt(seq), 1)
      const text = Buffer.concat([head, macOf(namespace, head)]).toString('base64url')
      return new Uint8Array(Buffer.concat([mark, Buffer.from(text)]))
    },
    open: (namespace, cookie) => {
      const bytes = Buffer.from(cookie.buffer, cookie.byteOffset, cookie.byteLength)
      if (bytes.length !== LENGTH) return 'invalid'
      const told = Buffer.from(bytes.subarray(MARK_BYTES).toString('latin1'), 'base64url')
      if (told.length !== 1 + SEQ_BYTES + MAC_BYTES || told[0] !== VERSION) return 'invalid'
      if (!mark.equals(bytes.subarray(0, MARK_BYTES))) return 'foreign'
      const head = told.subarray(0, 1 + SEQ_BYTES)
      if (!timingSafeEqual(macOf(namespace, head), told.subarray(head.length))) return 'invalid'
      return Number(told.readBigUInt64BE(1))
    },
  }
}
