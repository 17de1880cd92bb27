import { readFile, stat } from 'node:fs/promises'
import { constants, gunzipSync } from 'node:zlib'
import { InvalidMessageError, StorageError, TooLongError } from '../../errors/errors.ts'
import { readRecording, type ReadRecordingOptions, type Recording } from './readRecording.ts'

/** Bounds of what is opened. */
export interface OpenRecordingOptions extends ReadRecordingOptions {
  /** Longest text, unpacked. Default: 256 MiB. @unit bytes */
  readonly maxBytes?: number
}

const MOST_BYTES = 256 * 1_024 * 1_024

/**
 * Reads a file of `recording`, packed or not, and checks every line of it.
 *
 * @shape  A file that was cut is read up to there, and says so: see {@link Recording.cut}.
 * @errors `StorageError` when it can't be read; `TooLongError` above the bound, also of what is packed; those of
 *         {@link readRecording}.
 */
export async function openRecording(path: string, options: OpenRecordingOptions = {}): Promise<Recording> {
  const { maxBytes = MOST_BYTES, ...more } = options
  const bytes = await read(path, maxBytes)
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  return readRecording(isPacked ? unpacked(path, bytes, maxBytes) : bytes, more)
}

async function read(path: string, maxBytes: number): Promise<Uint8Array> {
  const { size } = await stat(path).catch(unreadable(path))
  if (size > maxBytes) throw tooLong(path, maxBytes)
  return readFile(path).catch(unreadable(path))
}

function unreadable(path: string) {
  return (cause: Error): never => {
    throw new StorageError(`recording: ${path} can't be read: ${cause.message}`, { cause })
  }
}

/** Up to where it was cut, if it was. */
function unpacked(path: string, bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxBytes })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(path, maxBytes)
    throw new InvalidMessageError(`recording: ${path} can't be unpacked: ${(cause as Error).message}`, { cause })
  }
}

function tooLong(path: string, maxBytes: number): TooLongError {
  return new TooLongError(`recording: ${path} is longer than ${maxBytes} bytes; allow more to read it`, {
    limit: maxBytes,
  })
}
