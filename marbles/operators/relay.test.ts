import { Relay } from 'rxswarm/operators'
import { marbles } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'

describe('Relay', () => {
  marbles('gives everybody what is sent while they listen', ({ hot, expectObservable }) => {
    const relay = new Relay<string>()
    hot('                 -a-b-c-|').subscribe(relay)
    expectObservable(relay).toBe('      -a-b-c-|')
    expectObservable(relay, '--^').toBe('---b-c-|')
    expectObservable(relay, '^---!').toBe('-a-b-')
  })
  it('tells who comes after the end that it is over', () => {
    const relay = new Relay<string>()
    let completed = false
    relay.complete()
    relay.next('nobody hears it')
    relay.subscribe({ next: () => expect.unreachable(), complete: () => (completed = true) })
    expect(completed).toBe(true)
  })
  it('knows whether anybody listens', () => {
    const relay = new Relay<string>()
    expect(relay.observed).toBe(false)
    const listening = relay.subscribe()
    expect(relay.observed).toBe(true)
    listening.unsubscribe()
    expect(relay.observed).toBe(false)
  })
  it('gives a value to those who listened when it was sent', () => {
    const relay = new Relay<string>()
    const heard: string[] = []
    const first = relay.subscribe((value) => {
      heard.push(`1 ${value}`)
      first.unsubscribe()
      relay.subscribe((later) => heard.push(`3 ${later}`))
    })
    relay.subscribe((value) => heard.push(`2 ${value}`))
    relay.next('a')
    relay.next('b')
    expect(heard).toEqual(['1 a', '2 a', '2 b', '3 b'])
  })
  it('opens and closes for many at the same price for each', () => {
    const relay = new Relay<number>()
    let heard = 0
    const all = Array.from({ length: 50_000 }, () => relay.subscribe(() => heard++))
    relay.next(1)
    for (const one of all) one.unsubscribe()
    relay.next(2)
    expect(heard).toBe(50_000)
    expect(relay.observed).toBe(false)
  })
})
