import { Subscriber } from 'rxjs'
import type { FrameReader } from './frameReader.ts'

/**
 * Subscribed to the chunks of a stream, which it cuts into messages. A subscriber of its own kind, because every message
 * of a simulation passes here.
 */
export class Chunks extends Subscriber<Uint8Array> {
  readonly #reader: FrameReader
  readonly #ended: (isBroken: boolean) => void

  /** @param ended Hears of the end of the stream, and whether what came was no message. */
  constructor(reader: FrameReader, ended: (isBroken: boolean) => void) {
    super()
    this.#reader = reader
    this.#ended = ended
  }

  protected override _next(chunk: Uint8Array): void {
    if (!this.#reader.push(chunk)) this.#end(true)
  }

  protected override _error(): void {
    this.#end(false)
  }

  protected override _complete(): void {
    this.#end(false)
  }

  #end(isBroken: boolean): void {
    this.unsubscribe()
    this.#ended(isBroken)
  }
}
