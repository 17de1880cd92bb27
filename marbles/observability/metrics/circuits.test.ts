import { Circuits } from '../../../src/observability/metrics/circuits.ts'
import { describe, expect, it } from 'vitest'

const tripped = (key: string, at: number) =>
  ({ type: 'policy:tripped', policy: 'breaker', error: undefined, openMs: 100, key, at }) as const
const probed = (key: string, at: number) => ({ type: 'policy:probed', policy: 'breaker', key, at }) as const
const recovered = (key: string, at: number) => ({ type: 'policy:recovered', policy: 'breaker', key, at }) as const

function told(circuits: Circuits, nowMs: number): readonly string[] {
  const all: string[] = []
  circuits.forEach(nowMs, (state, behaviour) => all.push(`${behaviour} ${state}`))
  return all
}

describe('Circuits', () => {
  it('go from open over half-open to closed, each for itself', () => {
    const circuits = new Circuits()
    circuits.note(tripped('a', 0), 'kad')
    circuits.note(tripped('b', 0), 'kad')
    expect(told(circuits, 1)).toEqual(['kad open', 'kad open'])
    circuits.note(probed('a', 100), 'kad')
    expect(told(circuits, 101)).toEqual(['kad open', 'kad half-open'])
    circuits.note(recovered('a', 110), 'kad')
    expect(told(circuits, 111)).toEqual(['kad open'])
    circuits.note(tripped('b', 120), 'kad')
    expect(told(circuits, 121)).toEqual(['kad open'])
  })
  it('are forgotten when nothing was heard of them for long', () => {
    const circuits = new Circuits()
    circuits.note(tripped('a', 0), 'kad')
    expect(told(circuits, 600_100)).toEqual(['kad open'])
    expect(told(circuits, 600_101)).toEqual([])
  })
  it('are a bounded number', () => {
    const circuits = new Circuits()
    for (let key = 0; key < 10_000; key++) circuits.note(tripped(String(key), key), 'kad')
    expect(told(circuits, 10_000)).toHaveLength(4_096)
  })
})
