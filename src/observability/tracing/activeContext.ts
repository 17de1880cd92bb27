import { context, ROOT_CONTEXT, type Context } from '@opentelemetry/api'

/** What is active until the call that is running returns; for those who have registered no context manager. */
let running: Context | undefined

/** The context that is active: what the context manager says, else that of the call that is running. */
export function activeContext(): Context {
  const active = context.active()
  return active === ROOT_CONTEXT ? (running ?? ROOT_CONTEXT) : active
}

/** Runs something with a context: in it, and in all that it starts if there is a context manager. */
export function runWith<T>(active: Context, work: () => T): T {
  const before = running
  running = active
  try {
    return context.with(active, work)
  } finally {
    running = before
  }
}

/** Runs something with a context that is active until it returns, and not in what it starts. */
export function runBriefly<T>(active: Context, work: () => T): T {
  const before = running
  running = active
  try {
    return work()
  } finally {
    running = before
  }
}
