/** What {@link writeAll} writes to. */
interface Writable {
  write(bytes: Uint8Array): Promise<void>
  /** Settles when nothing can be written any more. */
  readonly closed: Promise<unknown>
}

/**
 * Writes what a source has, pulled one chunk at a time.
 *
 * @shape  When the stream ends before the source does, the source is told to return, even if it is silent just then.
 * @errors those of the source and of the writes
 */
export function writeAll(
  to: Writable,
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  lost: (end: unknown) => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    const giveUp = (error: Error) => {
      if (isOver) return
      isOver = true
      reject(error)
      Promise.resolve(iterator.return?.()).catch(() => undefined)
    }
    const run = async () => {
      for (;;) {
        const { done, value } = await iterator.next()
        if (done === true) return
        if (isOver) return
        await to.write(value)
      }
    }
    to.closed.then((end) => giveUp(lost(end)), giveUp)
    run().then(() => {
      if (isOver) return
      isOver = true
      resolve()
    }, giveUp)
  })
}
