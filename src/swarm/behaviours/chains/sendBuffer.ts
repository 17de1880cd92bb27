import { FRAME_HEADER_BYTES, MOST_DATA_BYTES, writeHeader } from './frames.ts'

/** A piece of the stream with its header before it. */
interface Piece {
  readonly at: number
  frame: Uint8Array
  /** How much of the stream is in it. @unit bytes */
  byteLength: number
}

/**
 * What was written to a session and is not acknowledged, as frames that can be sent again.
 *
 * @shape  Copies what it is given, because who writes may use its memory again. Small writes fill up a frame that has not been
 *         sent. Memory: bounded by who writes.
 */
export class SendBuffer {
  #pieces: Piece[] = []
  #end = 0
  #sealed = true

  /** How much has been written since the beginning. @unit bytes */
  get end(): number {
    return this.#end
  }

  /** How many frames are kept. */
  get length(): number {
    return this.#pieces.length
  }

  /** Adds bytes at the end. @param moreBytes How much is written right after them. @unit `moreBytes`: bytes */
  write(bytes: Uint8Array, moreBytes = 0): void {
    for (let from = 0; from < bytes.byteLength;) {
      const wantedBytes = bytes.byteLength - from + moreBytes
      const last = this.#sealed ? undefined : this.#pieces.at(-1)
      const piece = last !== undefined && hasRoom(widened(last, wantedBytes)) ? last : this.#open(wantedBytes)
      const part = bytes.subarray(from, from + roomOf(piece))
      piece.frame.set(part, FRAME_HEADER_BYTES + piece.byteLength)
      piece.byteLength += part.byteLength
      this.#end += part.byteLength
      from += part.byteLength
    }
  }

  #open(wantedBytes: number): Piece {
    // a whole frame for what is large; for what is small room for some of its like
    const room = Math.min(MOST_DATA_BYTES, Math.max(wantedBytes, 1_024))
    const piece = { at: this.#end, frame: Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + room), byteLength: 0 }
    this.#pieces.push(piece)
    this.#sealed = false
    return piece
  }

  /** Where the frame that begins at a place ends. */
  endOf(at: number): number {
    const { piece } = this.#find(at)
    return piece.at + piece.byteLength
  }

  /** The frame that begins at a place; nothing is added to it any more. */
  frame(at: number): Uint8Array {
    const { piece, index } = this.#find(at)
    const skipped = at - piece.at
    if (index === this.#pieces.length - 1) this.#sealed = true
    const bytes = skipped === 0 ? piece.frame : Buffer.from(piece.frame.subarray(skipped))
    writeHeader(bytes, 'data', at, piece.byteLength - skipped)
    return bytes.subarray(0, FRAME_HEADER_BYTES + piece.byteLength - skipped)
  }

  /** Forgets what is before a place. */
  free(before: number): void {
    const isDone = ({ at, byteLength }: Piece, index: number) =>
      at + byteLength <= before && (this.#sealed || index < this.#pieces.length - 1)
    const first = this.#pieces.findIndex((piece, index) => !isDone(piece, index))
    this.#pieces.splice(0, first === -1 ? this.#pieces.length : first)
    if (this.#pieces.length === 0) this.#sealed = true
  }

  #find(at: number): { readonly piece: Piece; readonly index: number } {
    let low = 0
    let high = this.#pieces.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#pieces[middle]!.at <= at) low = middle
      else high = middle - 1
    }
    return { piece: this.#pieces[low]!, index: low }
  }
}

/** A piece is copied into a wider one as long as that is cheap. @unit bytes */
const MOST_COPIED_BYTES = 4_096

function roomOf({ frame, byteLength }: Piece): number {
  return frame.byteLength - FRAME_HEADER_BYTES - byteLength
}

function hasRoom(piece: Piece): boolean {
  return roomOf(piece) > 0
}

/** Makes room for what follows in the same frame: headers come by themselves, before what they are about. */
function widened(piece: Piece, wantedBytes: number): Piece {
  if (roomOf(piece) >= wantedBytes || piece.byteLength > MOST_COPIED_BYTES) return piece
  const room = Math.min(MOST_DATA_BYTES, piece.byteLength + wantedBytes)
  if (room <= piece.frame.byteLength - FRAME_HEADER_BYTES) return piece
  const wider = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + room)
  wider.set(piece.frame.subarray(0, FRAME_HEADER_BYTES + piece.byteLength))
  piece.frame = wider
  return piece
}
