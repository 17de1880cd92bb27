import { closeSync, constants, fstatSync, openSync, write, writeSync } from 'node:fs'

/** What lines are sent to, one batch at a time. */
export interface LineSink {
  /** Bytes of a batch. */
  readonly batchBytes: number
  /** Sends a batch; calls `done` once, with what was left of it when it failed. */
  send(lines: readonly string[], done: (error?: unknown, left?: readonly string[]) => void): void
  /** Sends what is left when the process ends, in which nothing can be waited for. */
  sendNow?(lines: readonly string[]): void
  /** Lets go. */
  close(): void
}

/** What is written with one call. @unit bytes */
const BATCH = 65_536

/** Who may read a log: its owner and its group. */
const MODE = 0o640

/** Stdin, stdout and stderr are everybody's. */
const LAST_STANDARD = 2

/**
 * Lines to a file, or to a file that is open already: 1 is the standard output.
 *
 * @shape  Never holds the process up: a pipe is opened once more without blocking where the system can; else the write waits
 *         in a thread.
 * @errors Throws what opening does; a folder that is not there is not made.
 */
export function fileSink(target: string | number): LineSink {
  const fd = typeof target === 'number' ? patient(target) : openSync(target, 'a', MODE)
  return {
    batchBytes: BATCH,
    send(lines, done) {
      sendAll(fd, Buffer.from(lines.join('')), (error, left) =>
        error === undefined ? done() : done(error, left.length === 0 ? [] : [left.toString()]),
      )
    },
    sendNow: (lines) => void writeSync(fd, lines.join('')),
    close() {
      if (fd > LAST_STANDARD) closeSync(fd)
    },
  }
}

/** A pipe that nobody reads would hold a thread, and with it the end of the process. */
function patient(fd: number): number {
  try {
    if (!fstatSync(fd).isFIFO()) return fd
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return fd
  }
}

function sendAll(fd: number, bytes: Buffer, done: (error: unknown, left: Buffer) => void): void {
  write(fd, bytes, (error, written) => {
    if (error !== null) return done(error, bytes)
    if (written < bytes.length) return sendAll(fd, bytes.subarray(written), done)
    done(undefined, bytes.subarray(written))
  })
}
