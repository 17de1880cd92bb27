import { spawnSync } from 'node:child_process'
import { compare, type Bench, type Result } from './compare.ts'
import { firstByBootstrap, firstByDht, firstByRendezvous, type FirstFound } from './firstFound.ts'
import { interleave } from './interleave.ts'

/** A first peer must be found within as long. @unit milliseconds */
const MOST_MS = 300
const ROUNDS = 9

const about = (name: string, peerName: string) =>
  ({ name, unit: 'ms', better: 'less', peerName, oursAtMost: MOST_MS }) as const

function here(name: string, peerName: string, contest: () => Promise<FirstFound>): Bench {
  return {
    names: [name],
    run: async () => {
      const { ours, bare, stop } = await contest()
      try {
        const times = await interleave({ ours, bare }, { rounds: ROUNDS })
        return [compare(times.ours, times.bare, about(name, peerName))]
      } finally {
        await stop()
      }
    },
  }
}

const MDNS = 'discover-mdns'

/** On a network of its own, so that nobody else hears it: only root may make one. */
function onOwnNetwork(): readonly Result[] {
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) {
    console.error(`${MDNS}: not run, since no network namespace may be made here`)
    return []
  }
  const program = [process.execPath, ...process.execArgv, new URL('mdnsFirst.ts', import.meta.url).pathname]
  const script = 'ip link set lo up && exec "$@"'
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-n', 'sh', '-c', script, 'sh', ...program, String(ROUNDS)],
    {
      encoding: 'utf8',
      timeout: 120_000,
    },
  )
  if (status !== 0) throw new Error(`${MDNS}: ${stderr}`)
  const { ours, bare } = JSON.parse(stdout) as { readonly ours: readonly number[]; readonly bare: readonly number[] }
  return [compare(ours, bare, about(MDNS, '@libp2p/mdns'))]
}

/** From the making of a node until it has found its first peer. */
export const discoveries: readonly Bench[] = [
  here('discover-bootstrap', 'libp2p dial until identify', firstByBootstrap),
  here('discover-dht', '@libp2p/kad-dht', firstByDht),
  here('discover-rendezvous', 'libp2p dial until identify', firstByRendezvous),
  { names: [MDNS], run: async () => onOwnNetwork() },
]
