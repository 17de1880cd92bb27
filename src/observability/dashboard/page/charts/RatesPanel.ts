import { useSignal } from '@preact/signals'
import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import type { Desk } from '../desk.ts'
import { Empty } from '../parts/Empty.ts'
import { Panel } from '../parts/Panel.ts'
import { Chart } from './Chart.ts'
import { chartsOf, commandsIn } from './chartsOf.ts'

const WINDOWS = [
  [60, '1 min'],
  [300, '5 min'],
  [900, '15 min'],
  [3_600, '1 h'],
] as const

/** Points of a chart; of more samples, each of a few is drawn. */
const MOST_POINTS = 600

/** Rates and latencies as moving charts. */
export function RatesPanel({ desk }: { readonly desk: Desk }): VNode {
  const span = useSignal<number>(300)
  const chosen = useSignal<string | undefined>(undefined)
  const samples = desk.samples.value
  const needle = desk.momentAt.value === undefined ? undefined : desk.momentAt.value / 1_000
  const end = samples.at(-1)?.at ?? desk.now.value
  // a moment of the past stands at two thirds, so that what came next is in sight
  const to = needle === undefined ? end / 1_000 : Math.min(end / 1_000, needle + span.value / 3)
  // a node that is younger than the window does not leave most of it empty
  const from = Math.max(to - span.value, Math.min((samples[0]?.at ?? 0) / 1_000, to - 30))
  const shown = useMemo(() => {
    const within = samples.filter(({ at }) => at / 1_000 >= from - 2 && at / 1_000 <= to)
    const every = Math.ceil(within.length / MOST_POINTS)
    return every <= 1 ? within : within.filter((_, i) => (within.length - 1 - i) % every === 0)
  }, [samples, from, to])
  const commands = useMemo(() => commandsIn(samples), [samples])
  const command = commands.find((one) => one === chosen.value) ?? commands[0]
  const charts = useMemo(() => chartsOf(shown, command), [shown, command])
  const times = useMemo(() => shown.map(({ at }) => at / 1_000), [shown])
  const pick = (at: number): void => desk.goTo(at * 1_000)
  const controls = html`${
      commands.length > 1 &&
      html`<select
        class="field"
        aria-label="Command whose latency is shown"
        value=${command}
        onChange=${(event: Event) => void (chosen.value = (event.currentTarget as HTMLSelectElement).value)}
      >
        ${commands.slice(0, 100).map((one) => html`<option value=${one} selected=${one === command}>${one}</option>`)}
      </select>`
    }
    <div class="segments" role="group" aria-label="Time on the axis">
      ${WINDOWS.map(
        ([seconds, name]) =>
          html`<button
            type="button"
            aria-pressed=${span.value === seconds}
            onClick=${() => void (span.value = seconds)}
          >
            ${name}
          </button>`,
      )}
    </div>`
  return html`<${Panel}
    id="rates"
    class="at-rates"
    title="Rates and latencies"
    note="click to go to a time"
    end=${controls}
  >
    ${
      samples.length === 0
        ? html`<${Empty} title="No numbers yet">The node sends a sample each second; the first is on its way.<//>`
        : html`<div class="charts">
            ${charts.map(
              (chart) =>
                html`<${Chart}
                  key=${chart.id}
                  chart=${chart}
                  times=${times}
                  range=${[from, to]}
                  needle=${needle}
                  pick=${pick}
                />`,
            )}
          </div>`
    }
  <//>`
}
