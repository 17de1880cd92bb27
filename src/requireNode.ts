/** The oldest Node that libp2p 3 runs on. */
const OLDEST_MAJOR = 22

// Must be evaluated before libp2p, which fails on an older Node without a word of why.
const version = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node
if (version !== undefined && Number(version.split('.')[0]) < OLDEST_MAJOR) {
  throw new Error(`rxswarm needs Node ${OLDEST_MAJOR} or newer; this is Node ${version}`)
}
