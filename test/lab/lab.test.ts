import { existsSync } from 'node:fs'
import { connections } from 'rxswarm'
import { expect, it } from 'vitest'
import { startChild } from '../support/child.ts'
import { startLab, type LabHost } from '../support/lab.ts'
import { labLacks } from '../support/labNeeds.ts'
import { inLab } from '../support/labSuite.ts'
import { first } from '../support/swarms.ts'
import { eventually, failure } from '../support/wait.ts'

/** Whether a TCP connection is refused, lost, or told to be impossible; nobody listens on the port. @param withinS @unit seconds */
async function knock(from: LabHost, ip: string, withinS = 0.5): Promise<'refused' | 'unreachable' | 'silence'> {
  const { message } = await failure(
    from.space.run('timeout', String(withinS), 'bash', '-c', `echo > /dev/tcp/${ip}/4001`),
  )
  if (message.includes('refused')) return 'refused'
  return message.includes('No route') ? 'unreachable' : 'silence'
}

inLab('the lab', () => {
  it('has an internet, networks behind it, black holes, and private addresses that lead nowhere', async () => {
    await using lab = await startLab()
    const [home, office] = [await lab.router(), await lab.router('symmetric')]
    const [inside, beside, other, outside] = [
      await home.host(),
      await home.host(),
      await office.host(),
      await lab.host(),
    ]

    expect(await knock(inside, outside.ip)).toBe('refused')
    expect(await knock(inside, beside.ip)).toBe('refused')
    expect(await knock(outside, home.ip)).toBe('silence')
    expect(await knock(inside, office.ip)).toBe('silence')
    expect(await knock(inside, lab.blackHole)).toBe('silence')
    expect(await knock(inside, other.ip, 5)).toBe('unreachable') // Linux looks at the second one only

    await outside.lose(100)
    expect(await knock(inside, outside.ip)).toBe('silence')
    await outside.lose(0)
    await eventually(async () => (await knock(inside, outside.ip)) === 'refused')
    await outside.unplug()
    expect(await knock(inside, outside.ip)).toBe('silence')
    await outside.plug()
    await eventually(async () => (await knock(inside, outside.ip)) === 'refused')
  })

  it('tells what a swarm says: answers, errors with what they know, events, its end', async () => {
    await using lab = await startLab()
    const [here, there] = [await lab.host(), await lab.host()]
    const [one, two] = await Promise.all([here.node({ seed: 1 }), there.node({ seed: 2, transports: ['tcp'] })])
    expect(await one.listening()).toEqual(expect.arrayContaining([here.address(one, 'quic'), here.address(one, 'tcp')]))
    expect(await two.listening()).not.toContain(there.address(two, 'quic'))

    const command = connections.dial({ to: 'nobody' })
    expect(await failure(first(one.execute(command)))).toMatchObject({ name: 'InvalidCommandError', field: 'to' })
    const types: string[] = []
    one.event$.subscribe(({ type }) => types.push(type))
    await first(one.execute(connections.dial({ to: there.address(two, 'tcp') })))
    await eventually(() => types.includes('connection:open'))
    expect(await one.state()).toMatchObject({ peers: { [two.self]: {} } })

    await two.stop()
    expect((await failure(two.listening())).message).toContain('the swarm has ended')
  })

  it('leaves nothing behind, also when it is killed', async () => {
    const pids: number[] = []
    {
      await using lab = await startLab()
      const host = await lab.host()
      pids.push(host.space.pid, (await host.node()).pid)
      expect(pids.every(lives)).toBe(true)
    }
    expect(pids.some(lives)).toBe(false)

    await using child = startChild('labHeld.ts')
    const { pids: held } = await child.said<{ pids: number[] }>()
    expect(held.every(lives)).toBe(true)
    child.kill('SIGKILL')
    await eventually(() => !held.some(lives))
  })
})

it('is skipped only for a reason', () => {
  expect(labLacks() ?? 'none').toMatch(/^(none|no |not root|the kernel says)/)
})

const lives = (pid: number) => existsSync(`/proc/${pid}`)
