import { context, ROOT_CONTEXT, trace, type Span } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace'
import { command, guard, perform, UnexpectedError, type BehaviourModule, type Command } from 'rxswarm'
import type { PolicySpec } from 'rxswarm/policies'
import { tracing, type TracingOptions } from 'rxswarm/observability'
import { fakeSwarm, inVirtualTime } from 'rxswarm/testing'
import { defer, from, map, NEVER, of, tap, throwError, timer, type Observable } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { activeContext, runWith } from '../../../src/observability/tracing/activeContext.ts'
import type { TracingProbe } from '../../../src/observability/tracing/tracingProbe.ts'
import { LIMITS } from '../../../src/swarm/ledger.ts'
import { recorder, spanOf, treeOf } from './spanTree.ts'

type Say = Command<'echo/say', { readonly text: string; readonly peer?: string }, string>
type Echoed = { readonly type: 'echo:echoed'; readonly text: string; readonly cause?: string }
interface EchoPorts {
  echo(text: string): Observable<string>
}

const echo = (policy: PolicySpec | false = false): BehaviourModule<'echo', Say, Echoed, EchoPorts> => ({
  name: 'echo',
  commands: { 'echo/say': { answers: { 'echo:echoed': ({ text }) => text } } },
  ports: () => ({ echo: of }),
  behaviour: (wires) =>
    wires.command$.pipe(
      perform(
        wires.cancel$,
        ({ text }) => wires.ports.echo(text),
        (text): Echoed => ({ type: 'echo:echoed', text }),
        guard(wires, policy),
      ),
    ),
})
const say = (text: string, meta?: Say['meta']): Say => command('echo/say', { text, peer: 'p1' }, meta)
const parent = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b' }

const millis = ([seconds, nanos]: readonly [number, number]) => seconds * 1e3 + nanos / 1e6

function traced(
  port: EchoPorts['echo'],
  { policy = false, ...options }: TracingOptions & { readonly policy?: PolicySpec | false } = {},
  running?: number,
) {
  const record = recorder()
  const module = tracing({ tracerProvider: record.tracerProvider, ...options })
  const made = vi.spyOn(module, 'probe')
  const limits = running === undefined ? {} : { limits: { ...LIMITS, running } }
  const swarm = fakeSwarm([echo(policy), module], { ports: { echo: { echo: port } }, ...limits })
  const probe = made.mock.results[0]!.value as TracingProbe
  return { ...record, swarm, probe }
}

describe('tracing', () => {
  it('makes a span of a command, its behaviour, its attempt and its port', () => {
    inVirtualTime(() => {
      const { swarm, spans, probe } = traced(of)
      swarm.execute(say('a', { priority: 'control' })).subscribe()
      expect(treeOf(spans())).toEqual(['echo/say', '  echo', '    echo/say attempt', '      echo.echo'])
      expect(spanOf(spans(), 'echo/say').attributes).toMatchObject({
        'rxswarm.behaviour': 'echo',
        'rxswarm.lane': 'control',
        'rxswarm.peer.id': 'p1',
        'rxswarm.command.id': expect.stringMatching(/^c\d+/),
      })
      expect(spanOf(spans(), 'echo.echo').attributes['rxswarm.values']).toBe(1)
      expect(probe.size).toBe(0)
    })
  })

  it('makes the span of a command a child of the trace that it carries, with its state', () => {
    inVirtualTime(() => {
      const { swarm, spans } = traced(of)
      swarm.execute(say('a', { trace: parent })).subscribe()
      const { parentSpanContext } = spanOf(spans(), 'echo/say')
      expect(parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331', isRemote: true })
      expect(parentSpanContext?.traceState?.serialize()).toBe('a=b')
      expect(spans().map((span) => span.spanContext().traceId)).toEqual(
        spans().map(() => '0af7651916cd43dd8448eb211c80319c'),
      )
    })
  })

  it.each(['', 'nonsense', '00-0-0-0', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 7])(
    'makes a trace of its own of a command whose traceparent is %s',
    (traceparent) => {
      inVirtualTime(() => {
        const { swarm, spans } = traced(of)
        swarm.execute(say('a', { trace: { traceparent: traceparent as string } })).subscribe()
        expect(spanOf(spans(), 'echo/say').parentSpanContext).toBeUndefined()
      })
    },
  )

  it('makes the span of a command a child of what is active where it is executed', () => {
    inVirtualTime(() => {
      const { swarm, spans, tracerProvider } = traced(of)
      const span = tracerProvider.getTracer('app').startSpan('app')
      runWith(trace.setSpan(ROOT_CONTEXT, span), () => swarm.execute(say('a')).subscribe())
      span.end()
      expect(treeOf(spans())[0]).toBe('app undefined')
      expect(treeOf(spans())[1]).toBe('  echo/say')
    })
  })

  it('tells of answers that name a peer, one by one, and of no more than it may', () => {
    inVirtualTime(() => {
      const found = Array.from({ length: 40 }, (_, index) => ({ from: `p${index}`, text: 'a' }))
      const { swarm, spans } = traced(() => from(found) as unknown as Observable<string>)
      swarm.execute(say('a')).subscribe()
      const { events, attributes } = spanOf(spans(), 'echo.echo')
      expect(events.map(({ name, attributes: told }) => [name, told?.['rxswarm.peer.id']])).toEqual(
        Array.from({ length: 32 }, (_, index) => ['answer', `p${index}`]),
      )
      expect(attributes['rxswarm.values']).toBe(40)
    })
  })

  it('has the span of the port active in what the port starts', () => {
    inVirtualTime(() => {
      const active: (Span | undefined)[] = []
      const { swarm, spans } = traced((text) => defer(() => (active.push(trace.getSpan(activeContext())), of(text))))
      swarm.execute(say('a')).subscribe()
      expect(active.map((span) => span?.spanContext().spanId)).toEqual([
        spanOf(spans(), 'echo.echo').spanContext().spanId,
      ])
      expect(context.active()).toBe(ROOT_CONTEXT)
      expect(activeContext()).toBe(ROOT_CONTEXT)
    })
  })

  it('makes a span of every attempt, and notes on the command what its policy did', () => {
    inVirtualTime(({ flush }) => {
      const answers = [throwError(() => new UnexpectedError('again')), of('a')]
      const policy = { retry: { retries: 1, backoff: { type: 'constant', delayMs: 10 }, retryOn: () => true } } as const
      const { swarm, spans } = traced(() => answers.shift()!, { policy })
      swarm.execute(say('a')).subscribe()
      flush()
      expect(treeOf(spans())).toEqual(
        ['echo/say', '  echo', '    echo/say attempt failed', '      echo.echo failed', '    echo/say attempt'].concat([
          '      echo.echo',
        ]),
      )
      const { events } = spanOf(spans(), 'echo/say')
      expect(events.map(({ name, attributes }) => [name, attributes])).toEqual([
        [
          'policy:retried',
          {
            'rxswarm.policy': 'retry',
            'rxswarm.policy.retry': 1,
            'rxswarm.policy.delay_ms': 10,
            'error.type': 'ERR_UNEXPECTED',
          },
        ],
      ])
      const attempts = spans().filter(({ name }) => name === 'echo/say attempt')
      expect(attempts.map(({ attributes }) => attributes['rxswarm.attempt'])).toEqual([1, 2])
    })
  })

  it('ends what is cancelled as cancelled, with all its parts, and keeps nothing', () => {
    inVirtualTime(() => {
      const { swarm, spans, probe } = traced(() => NEVER)
      swarm.execute(say('a')).subscribe().unsubscribe()
      expect(treeOf(spans())).toEqual([
        'echo/say cancelled',
        '  echo cancelled',
        '    echo/say attempt cancelled',
        '      echo.echo cancelled',
      ])
      expect(probe.size).toBe(0)
    })
  })

  it('ends what is late as failed, with the code of its error', () => {
    inVirtualTime(({ flush }) => {
      const { swarm, spans } = traced(() => NEVER)
      swarm.execute(say('a', { deadlineMs: 20 })).subscribe({ error: () => undefined })
      flush()
      const span = spanOf(spans(), 'echo/say')
      expect(span.attributes).toMatchObject({ 'rxswarm.outcome': 'failed', 'error.type': 'ERR_DEADLINE' })
      expect(span.status.code).toBe(2)
      expect(spans()).toHaveLength(4)
    })
  })

  it('ends what was in the hands of a behaviour that crashes', () => {
    inVirtualTime(() => {
      const record = recorder()
      const slow: ReturnType<typeof echo> = {
        ...echo(),
        behaviour: ({ command$ }) => command$.pipe(tap(() => expect.fail('it breaks'))) as never,
      }
      const swarm = fakeSwarm([slow, tracing({ tracerProvider: record.tracerProvider })], {
        ports: { echo: { echo: of } },
      })
      swarm.execute(say('a')).subscribe({ error: () => undefined })
      expect(treeOf(record.spans())).toEqual(['echo/say failed', '  echo failed'])
      expect(spanOf(record.spans(), 'echo/say').attributes['error.type']).toBe('ERR_BEHAVIOUR_CRASHED')
    })
  })

  it('ends what is in flight when the swarm stops', () => {
    inVirtualTime(({ flush }) => {
      const { swarm, spans, probe } = traced(() => NEVER)
      swarm.execute(say('a', { deadlineMs: 10_000 })).subscribe({ error: () => undefined })
      swarm.drain(50).subscribe((undrained) => swarm.close(undrained))
      flush()
      expect(treeOf(spans())[0]).toBe('echo/say failed')
      expect(spans()).toHaveLength(4)
      expect(probe.size).toBe(0)
    })
  })

  it('begins the way through the behaviour when it is the turn of a command, so that waiting shows', () => {
    inVirtualTime(({ flush }) => {
      const { spans, swarm } = traced((text) => timer(30).pipe(map(() => text)), {}, 1)
      swarm.execute(say('a')).subscribe()
      swarm.execute(say('b')).subscribe()
      flush()
      const startsOf = (name: string) =>
        spans()
          .filter((span) => span.name === name)
          .map(({ startTime }) => startTime)
      const ends = spans()
        .filter((span) => span.name === 'echo/say')
        .map(({ endTime }) => endTime)
      expect(startsOf('echo/say')).toHaveLength(2)
      expect(millis(startsOf('echo')[1]!)).toBeGreaterThanOrEqual(millis(ends[0]!))
      expect(millis(startsOf('echo/say')[1]!)).toBeLessThan(millis(ends[0]!))
    })
  })

  it('makes no parts of what the sampler does not want, and has its context active all the same', () => {
    inVirtualTime(({ flush }) => {
      const flags: (number | undefined)[] = []
      const record = recorder(new AlwaysOffSampler())
      const answers = [throwError(() => new UnexpectedError('again')), of('a')]
      const port = (): Observable<string> =>
        defer(() => (flags.push(trace.getSpanContext(activeContext())?.traceFlags), answers.shift()!))
      const policy = { retry: { retries: 1, backoff: { type: 'constant', delayMs: 10 }, retryOn: () => true } } as const
      const started = vi.spyOn(record.tracerProvider.getTracer('rxswarm'), 'startSpan')
      const { swarm, probe } = traced(port, { policy, tracerProvider: record.tracerProvider })
      swarm.execute(say('a')).subscribe()
      flush()
      expect(flags).toEqual([0, 0])
      expect(started).toHaveBeenCalledTimes(1)
      expect(record.spans()).toEqual([])
      expect(probe.size).toBe(0)
    })
  })

  it('asks the sampler about a share of the commands that have no parent, and tells others of the rest as not sampled', () => {
    inVirtualTime(() => {
      const told: (string | undefined)[] = []
      const { swarm, spans, probe } = traced(
        (text) => defer(() => (told.push(probe.wires.outgoing()?.traceparent), of(text))),
        {
          sampleRatio: 0.25,
        },
      )
      for (let i = 0; i < 400; i++) swarm.execute(say('a')).subscribe()
      const recorded = spans().filter(({ name }) => name === 'echo/say').length
      expect(recorded).toBeGreaterThan(60)
      expect(recorded).toBeLessThan(140)
      expect(told.filter((traceparent) => /^00-[\da-f]{32}-[\da-f]{16}-01$/.test(traceparent ?? ''))).toHaveLength(
        recorded,
      )
      const unsampled = told.filter((traceparent) => /^00-[\da-f]{32}-[\da-f]{16}-00$/.test(traceparent ?? ''))
      expect(new Set(unsampled).size).toBe(400 - recorded)
      swarm.execute(say('a', { trace: parent })).subscribe()
      expect(spans().at(-1)!.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    })
  })

  it('asks nobody while no provider is registered, and is there as soon as one is', () => {
    inVirtualTime(() => {
      const swarm = fakeSwarm([echo(), tracing()], { ports: { echo: { echo: of } } })
      const { tracerProvider, spans } = recorder()
      const asked = vi.spyOn(tracerProvider, 'getTracer')
      swarm.execute(say('a')).subscribe()
      expect(asked).not.toHaveBeenCalled()
      trace.setGlobalTracerProvider(tracerProvider)
      try {
        swarm.execute(say('b')).subscribe()
        swarm.execute(say('c')).subscribe()
      } finally {
        trace.disable()
      }
      expect(asked).toHaveBeenCalledTimes(1)
      expect(spans()).toHaveLength(8)
      swarm.execute(say('d')).subscribe()
      expect(spans()).toHaveLength(8)
    })
  })

  it('leaves ports as they are that return no Observables, and their observables', () => {
    inVirtualTime(() => {
      const record = recorder()
      const seen: unknown[] = []
      const ports = { heard$: NEVER, write: (note: string) => seen.push(note), echo: of }
      const module: ReturnType<typeof echo> = {
        ...echo(),
        behaviour: ({ command$, cancel$, ports: given }) => {
          seen.push((given as unknown as typeof ports).heard$ === ports.heard$)
          ;(given as unknown as typeof ports).write('a')
          return command$.pipe(
            perform(
              cancel$,
              ({ text }) => given.echo(text),
              (text): Echoed => ({ type: 'echo:echoed', text }),
            ),
          )
        },
      }
      const swarm = fakeSwarm([module, tracing({ tracerProvider: record.tracerProvider })], { ports: { echo: ports } })
      swarm.execute(say('a')).subscribe()
      expect(seen).toEqual([true, 'a'])
    })
  })

  it('says which of its options is none', () => {
    expect(tracing({ tracerProvider: {} as never, sampleRatio: 2, more: 1 } as never).problems).toEqual([
      { path: 'tracing.tracerProvider', message: 'must be a TracerProvider of @opentelemetry/api' },
      { path: 'tracing.sampleRatio', message: 'must be from 0 to 1' },
      { path: 'tracing.more', message: 'is not an option' },
    ])
  })
})
