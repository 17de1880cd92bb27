import { spawnSync } from 'node:child_process'

/** Programs that the lab calls. */
const PROGRAMS = ['ip', 'nft', 'nsenter', 'unshare'] as const

/** Tries what the lab is made of, in a namespace that is gone afterwards. */
const TRIAL = `
echo 1 > /proc/sys/net/ipv4/ip_forward && ip link add name trial0 type bridge && ip link add name trial1 type veth peer name trial2 && nft -f - <<END
table ip trial {
  chain out {
    type nat hook postrouting priority srcnat
    oifname trial1 masquerade fully-random
  }
}
table netdev trial {
  chain in {
    type filter hook ingress device trial1 priority 0
    ip protocol udp drop
  }
}
END
`

/** Why there can be no lab on this machine; undefined when there can. */
export function labLacks(): string | undefined {
  if (process.platform !== 'linux') return 'no Linux'
  if (process.getuid?.() !== 0) return 'not root'
  const missing = PROGRAMS.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
  if (missing.length > 0) return `no ${missing.join(', ')}`
  const trial = spawnSync('unshare', ['--net', 'sh', '-c', TRIAL], { encoding: 'utf8', timeout: 10_000 })
  return trial.status === 0 ? undefined : `the kernel says: ${trial.stderr.trim().split('\n')[0] ?? 'no'}`
}
