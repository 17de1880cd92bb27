import type { TooLongError } from '../../errors/errors.ts'
import type { StreamReader } from './streamReader.ts'

/** An error message has no more. @unit bytes */
export const MOST_ERROR_BYTES = 64 * 1_024

/** What the acceptor said on the Error half. */
export interface ErrorMessage {
  /** Its first 64 KiB. Empty means that there is no error. */
  readonly bytes: Uint8Array
  /** Whether it said more. */
  readonly isCut: boolean
}

/**
 * Reads the one message of the Error half.
 *
 * @shape  Resolves at its end, or as soon as it is longer than 64 KiB.
 * @errors those of {@link StreamReader}
 */
export async function readErrorMessage(reader: StreamReader): Promise<ErrorMessage> {
  try {
    return { bytes: await reader.readToEnd(MOST_ERROR_BYTES), isCut: false }
  } catch (error) {
    const { code, partial } = error as TooLongError
    if (code === 'ERR_TOO_LONG') return { bytes: partial, isCut: true }
    throw error
  }
}
