import { interval, NEVER, of, queueScheduler, take, timeout, timer, concatMap, delay, toArray } from 'rxjs'
import { seeded, skewed, VirtualTime } from 'rxswarm/testing'
import { describe, expect, it } from 'vitest'

describe('VirtualTime', () => {
  it("runs RxJS's timer, interval, delay and timeout", () => {
    const time = new VirtualTime()
    const heard: string[] = []
    const hear = (what: string) => () => heard.push(`${time.now()} ${what}`)
    timer(5, time).subscribe(hear('timer'))
    timer(1, 4, time).pipe(take(3)).subscribe(hear('again'))
    interval(3, time).pipe(take(2)).subscribe(hear('interval'))
    of(1).pipe(delay(7, time)).subscribe(hear('delay'))
    NEVER.pipe(timeout({ first: 6, scheduler: time })).subscribe({ error: hear('timeout') })
    time.advanceTo(4)
    expect(heard).toEqual(['1 again', '3 interval'])
    time.advanceTo(100)
    expect(heard.slice(2)).toEqual(['5 timer', '5 again', '6 timeout', '6 interval', '7 delay', '9 again'])
    expect(time.now()).toBe(100)
    expect(time.waiting).toBe(0)
  })
  it('runs what is due at one moment in the order in which it was scheduled', () => {
    const time = new VirtualTime()
    const random = seeded(1)
    const heard: [number, number][] = []
    const expected: [number, number][] = []
    for (let i = 0; i < 2_000; i++) {
      const at = Math.floor(random() * 50)
      expected.push([at, i])
      time.schedule(() => heard.push([time.now(), i]), at)
    }
    time.advanceTo(50)
    expect(heard).toEqual(expected.toSorted(([a, i], [b, j]) => a - b || i - j))
  })
  it('never runs what was cancelled, also when most of what waits was', () => {
    const time = new VirtualTime()
    const heard: number[] = []
    const all = Array.from({ length: 10_000 }, (_, i) => time.schedule(() => heard.push(i), (i * 7) % 1_000))
    all.forEach((one, i) => i % 100 > 0 && one.unsubscribe())
    expect(time.waiting).toBe(100)
    time.advanceTo(1_000)
    expect(heard.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i * 100))
  })
  it('runs work that schedules itself, and what it schedules for now', () => {
    const time = new VirtualTime()
    const heard: number[] = []
    time.schedule<number>(
      function (left = 0) {
        heard.push(time.now())
        if (left > 0) this.schedule(left - 1, 10)
      },
      5,
      2,
    )
    time.schedule(() => time.schedule(() => heard.push(-1)), 15)
    time.advanceTo(15)
    expect(heard).toEqual([5, 15, -1])
    time.advanceTo(25)
    expect(heard).toEqual([5, 15, -1, 25])
  })
  it('never comes to an infinite delay, and takes a negative one for none', () => {
    const time = new VirtualTime(1_000)
    const heard: number[] = []
    time.schedule(() => heard.push(1), Infinity)
    time.schedule(() => heard.push(2), -5)
    time.advanceTo(1_000)
    expect(heard).toEqual([2])
    expect(time.waiting).toBe(0)
  })
  it('counts whole microseconds, and moves on with any delay above 0', () => {
    const time = new VirtualTime()
    let at = 0
    time.schedule(() => time.schedule(() => (at = time.now()), 0.2), 0.1)
    time.advanceTo(1)
    expect(at).toBe(0.3)
    time.schedule(() => (at = time.now()), 1e-9)
    time.advanceTo(2)
    expect(at).toBe(1.001)
  })
  it('lets out what work throws, and goes on after it', () => {
    const time = new VirtualTime()
    const heard: string[] = []
    time.schedule(() => {
      throw new Error('broken')
    }, 1)
    time.schedule(() => heard.push('next'), 1)
    expect(() => time.advanceTo(5)).toThrow('broken')
    time.advanceTo(5)
    expect(heard).toEqual(['next'])
  })
  it('can not be moved by what runs in it', () => {
    const time = new VirtualTime()
    time.schedule(() => time.advanceTo(9), 1)
    expect(() => time.advanceTo(5)).toThrow('moving already')
  })
  it('works beside other schedulers', () => {
    const time = new VirtualTime()
    let heard: number[] = []
    of(1, 2, 3)
      .pipe(
        concatMap((n) => of(n, queueScheduler).pipe(delay(n, time))),
        toArray(),
      )
      .subscribe((all) => (heard = all))
    time.advanceTo(6)
    expect(heard).toEqual([1, 2, 3])
  })
})

describe('skewed', () => {
  it('shows another time', () => {
    const time = new VirtualTime(1_000)
    const clock = skewed(time, -250)
    expect(clock.now()).toBe(750)
    clock.offsetMs = 10
    expect(clock.now()).toBe(1_010)
  })
  it('goes faster: its second is over before a true one', () => {
    const time = new VirtualTime()
    const clock = skewed(time, 0, 1_000_000)
    const heard: [number, number][] = []
    interval(1_000, clock)
      .pipe(take(2))
      .subscribe(() => heard.push([time.now(), clock.now()]))
    time.advanceTo(2_000)
    expect(heard).toEqual([
      [500, 1_000],
      [1_000, 2_000],
    ])
  })
  it('has come at least to the time for which something was scheduled', () => {
    const random = seeded('drift')
    for (let i = 0; i < 200; i++) {
      const time = new VirtualTime()
      const clock = skewed(time, random() * 1_000, (random() - 0.5) * 1_000)
      let tries = 0
      const dueAt = clock.now() + random() * 100
      const wait = () => {
        tries++
        if (clock.now() < dueAt) clock.schedule(wait, dueAt - clock.now())
      }
      clock.schedule(wait, dueAt - clock.now())
      time.advanceTo(1_000)
      expect(tries).toBeLessThan(4)
      expect(clock.now()).toBeGreaterThanOrEqual(dueAt)
    }
  })
  it('runs nothing more once it is stopped', () => {
    const time = new VirtualTime()
    const clock = skewed(time)
    const heard: number[] = []
    interval(1, clock).subscribe((n) => heard.push(n))
    time.advanceTo(2)
    clock.stop()
    time.advanceTo(10)
    expect(heard).toEqual([0, 1])
  })
})
