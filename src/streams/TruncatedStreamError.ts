/** A stream ended before the remote had finished writing: what came is not the whole. */
export class TruncatedStreamError extends Error {
  /** Literal name of the class. */
  override readonly name = 'TruncatedStreamError'
  /** The protocol that the stream carried. */
  readonly protocol: string

  constructor(protocol: string, status: string) {
    super(`${protocol || 'stream'}: ended (${status}) before the remote had finished writing`)
    this.protocol = protocol
  }
}
