import { fork } from 'node:child_process'
import { on, once } from 'node:events'

/** A process that is told and says one thing at a time, and ends when it is let go. */
export interface Forked<Said> {
  /** Says something to it. */
  tell(said: object): void
  /** The next that it says. @errors when it has ended instead */
  said<T extends Said>(): Promise<T>
  /** Lets it go. */
  stop(): void
  /** Ends it as a power cut does. */
  kill(): Promise<void>
}

/** Starts a program of this folder in a process of its own, as on a machine of its own. */
export function forked<Said>(file: string, ...args: readonly string[]): Forked<Said> {
  const child = fork(new URL(file, import.meta.url), args)
  const messages = on(child, 'message') // from now on: none is lost that comes before it is asked for
  const gone = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${file} ended with ${code}`)))
  gone.catch(() => undefined)
  return {
    tell: (said) => void child.send(said),
    said: async <T extends Said>() => {
      const { value } = (await Promise.race([messages.next(), gone])) as { value: [T] }
      return value[0]
    },
    stop: () => void (child.connected && child.disconnect()),
    kill: async () => {
      child.kill('SIGKILL')
      await gone.catch(() => undefined)
    },
  }
}
