import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useMemo, useRef } from 'preact/hooks'
import { eventsPerSecond } from '../charts/rates.ts'
import type { Desk } from '../desk.ts'
import { icon } from '../parts/icon.ts'
import { clockText } from '../text/clockText.ts'
import { spanText } from '../text/spanText.ts'
import { densityPath } from './densityPath.ts'

const WIDTH = 600

/** A slider over everything that can be gone back to, with a picture of how much happened when. */
export function TimeBar({ desk }: { readonly desk: Desk }): VNode {
  const file = useRef<HTMLInputElement>(null)
  const { from, to } = desk.reach.value
  const at = desk.momentAt.value
  const isFile = desk.link.value === 'file'
  const share = at === undefined ? 1 : Math.max(0, Math.min(1, (at - from) / (to - from)))
  const samples = desk.samples.value
  const lines = desk.lines.value
  const path = useMemo(() => {
    if (samples.length > 1) {
      return densityPath(
        samples.map((sample) => [sample.at, eventsPerSecond(sample)] as const),
        from,
        to,
        WIDTH,
        28,
      )
    }
    return densityPath(
      lines.map((line) => [line.at, 1] as const),
      from,
      to,
      WIDTH,
      28,
    )
  }, [samples, from, to])
  const marks = desk.view.value.alerts.filter(({ raisedAt }) => raisedAt >= from && raisedAt <= to).slice(-40)
  const words =
    at === undefined
      ? isFile
        ? 'The end of the recording'
        : 'Live'
      : `${clockText(at)}, ${spanText(to - at)} before the latest`
  // a thousandth of the past may be less than what lies between two events, so that a step would lead nowhere
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key]
    if (by === undefined) return
    desk.step(by as 1 | -1)
    event.preventDefault()
    event.stopPropagation()
  }
  const open = async (event: Event): Promise<void> => {
    const input = event.currentTarget as HTMLInputElement
    const chosen = input.files?.[0]
    if (chosen !== undefined) await desk.open(chosen)
    input.value = ''
  }
  return html`<section class="time" aria-label="Time travel" data-testid="time">
    <div class="steps">
      <button
        type="button"
        class="button"
        aria-label="One event back (left arrow)"
        title="One event back (←)"
        data-testid="back"
        onClick=${() => desk.step(-1)}
      >
        ${icon('back')}
      </button>
      <button
        type="button"
        class="button"
        aria-label="One event on (right arrow)"
        title="One event on (→)"
        data-testid="forth"
        aria-disabled=${at === undefined}
        onClick=${() => desk.step(1)}
      >
        ${icon('forth')}
      </button>
      <button
        type="button"
        class="button"
        title="Open a recording"
        aria-label="Open a recording"
        onClick=${() => file.current?.click()}
      >
        ${icon('folder')}
      </button>
      <input
        ref=${file}
        type="file"
        hidden
        accept=".jsonl,.ndjson,.json,.rec,.gz,application/json,application/gzip"
        data-testid="file"
        onChange=${open}
      />
    </div>
    <div class="track">
      <svg viewBox=${`0 0 ${WIDTH} 28`} preserveAspectRatio="none" aria-hidden="true">
        <path class="bars" d=${path} />
        ${marks.map(({ raisedAt, alert }) => {
          const x = ((raisedAt - from) / (to - from)) * WIDTH
          return html`<path key=${alert} class="mark" d=${`M${x - 3} 0h6l-3 6z`} />`
        })}
        ${at !== undefined && html`<path class="needle" d=${`M${share * WIDTH} 0V28`} />`}
      </svg>
      <input
        type="range"
        min="0"
        max="1000"
        step="1"
        aria-label="Moment shown"
        aria-valuetext=${words}
        data-testid="slider"
        value=${Math.round(share * 1_000)}
        onKeyDown=${onKeyDown}
        onInput=${(event: Event) => {
          const value = Number((event.currentTarget as HTMLInputElement).value)
          if (value >= 1_000) desk.goLive()
          else desk.goTo(from + ((to - from) * value) / 1_000)
        }}
      />
      <div class="ends" aria-hidden="true"><span>${clockText(from)}</span><span>${clockText(to)}</span></div>
    </div>
    <div class="now">
      <div class="moment" data-testid="moment">
        ${
          at === undefined
            ? html`<b>${clockText(desk.now.value)}</b><small>${isFile ? 'end of recording' : 'now'}</small>`
            : html`<b class="tone-violet">${clockText(at, true)}</b><small>${spanText(to - at)} ago</small>`
        }
      </div>
      <button
        type="button"
        class=${`button ${at === undefined ? 'is-on' : 'is-main'}`}
        data-testid="live"
        aria-disabled=${at === undefined}
        onClick=${() => desk.goLive()}
      >
        ${at === undefined ? (isFile ? 'At the end' : 'Live') : isFile ? 'To the end' : 'Back to live'}
      </button>
    </div>
  </section>`
}
