import { useComputed, useSignal } from '@preact/signals'
import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Severity } from '../../model/dashboardView.ts'
import type { Desk } from '../desk.ts'
import { Empty } from '../parts/Empty.ts'
import { icon } from '../parts/icon.ts'
import { Panel } from '../parts/Panel.ts'
import { countText } from '../text/countText.ts'
import { shortPeer } from '../text/shortPeer.ts'
import { areaOf, eventSearch } from './eventSearch.ts'
import { EventDetail } from './EventDetail.ts'
import { EventRow } from './EventRow.ts'
import type { LogLine } from './eventLog.ts'

const ROW = 26
const SPARE = 8
const MOST_CHIPS = 32

/** The list of events, newest first, with search and filters. Only the rows in sight are drawn. */
export function EventsPanel({ desk }: { readonly desk: Desk }): VNode {
  const text = useSignal('')
  const areas = useSignal<ReadonlySet<string>>(new Set())
  const least = useSignal<Severity>('info')
  const peer = useSignal(false)
  const held = useSignal<readonly LogLine[] | undefined>(undefined)
  const chosen = useSignal<number | undefined>(undefined)
  const top = useSignal(0)
  const height = useSignal(400)
  const box = useRef<HTMLDivElement>(null)

  const lines = useComputed(() => (desk.moment.value === undefined ? held.value : undefined) ?? desk.lines.value)
  const found = useComputed(() => {
    const of = peer.value ? desk.chosenPeer.value : undefined
    const test = eventSearch({ text: text.value, areas: areas.value, peer: of, least: least.value })
    const isPlain = text.value === '' && areas.value.size === 0 && of === undefined && least.value === 'info'
    if (isPlain) return lines.value
    return lines.value.filter(({ event }) => event !== undefined && test(event))
  })
  const chips = useComputed(() => areasOf(lines.value))

  useEffect(() => {
    const element = box.current!
    const watcher = new ResizeObserver(() => void (height.value = element.clientHeight))
    watcher.observe(element)
    return () => watcher.disconnect()
  }, [])

  const count = found.value.length
  const lineAt = (row: number): LogLine | undefined => found.value[count - 1 - row]
  const first = Math.max(0, Math.floor(top.value / ROW) - SPARE)
  const last = Math.min(count, Math.ceil((top.value + height.value) / ROW) + SPARE)
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i)
  const chosenLine = chosen.value === undefined ? undefined : found.value.find(({ id }) => id === chosen.value)

  // a reader who has scrolled down keeps the same rows in sight while new ones come on top
  const before = useRef(count)
  useEffect(() => {
    const more = count - before.current
    before.current = count
    if (more > 0 && more < 5_000 && box.current!.scrollTop > ROW) box.current!.scrollTop += more * ROW
  }, [count])

  const choose = (row: number): void => {
    const line = lineAt(Math.max(0, Math.min(count - 1, row)))
    if (line === undefined) return
    chosen.value = line.id
    const y = Math.max(0, Math.min(count - 1, row)) * ROW
    const element = box.current!
    if (y < element.scrollTop) element.scrollTop = y
    else if (y + ROW > element.scrollTop + element.clientHeight) element.scrollTop = y + ROW - element.clientHeight
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = chosen.value === undefined ? -1 : found.value.findIndex(({ id }) => id === chosen.value)
    const row = at < 0 ? -1 : count - 1 - at
    const page = Math.max(1, Math.floor(height.value / ROW) - 1)
    const to = {
      ArrowDown: row + 1,
      ArrowUp: row - 1,
      PageDown: row + page,
      PageUp: row - page,
      Home: 0,
      End: count - 1,
    }[event.key]
    if (to !== undefined) choose(to)
    else if (event.key === 'Escape') chosen.value = undefined
    else if (event.key === 'Enter' && chosenLine !== undefined) desk.goToMoment(chosenLine.moment)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const toggle = (area: string): void => {
    const next = new Set(areas.value)
    if (!next.delete(area)) next.add(area)
    areas.value = next
  }
  const isHeld = held.value !== undefined && desk.moment.value === undefined
  const behind = isHeld ? desk.lines.value.length - (held.value?.length ?? 0) : 0
  const pause = html`<button
    type="button"
    class="button"
    aria-pressed=${isHeld}
    disabled=${desk.moment.value !== undefined}
    onClick=${() => void (held.value = isHeld ? undefined : desk.lines.value)}
  >
    ${icon(isHeld ? 'play' : 'pause')} ${isHeld ? `Go on${behind > 0 ? ` (${countText(behind)} new)` : ''}` : 'Pause'}
  </button>`
  return html`<${Panel}
    id="events"
    class="events at-events"
    title="Events"
    note=${`${countText(count)} shown`}
    end=${pause}
    bare
  >
    <div class="bar" role="search" aria-label="Events">
      <input
        class="field"
        type="search"
        placeholder="Search: words, type:kad, peer:x3f, -word"
        aria-label="Search events"
        maxlength="200"
        value=${text.value}
        onInput=${(event: Event) => void (text.value = (event.currentTarget as HTMLInputElement).value)}
      />
      <select
        class="field"
        aria-label="How bad an event is at least"
        value=${least.value}
        onChange=${(event: Event) => void (least.value = (event.currentTarget as HTMLSelectElement).value as Severity)}
      >
        <option value="info">all</option>
        <option value="warning">warnings</option>
        <option value="critical">critical</option>
      </select>
      ${
        desk.chosenPeer.value !== undefined &&
        html`<button
          type="button"
          class="button"
          aria-pressed=${peer.value}
          onClick=${() => void (peer.value = !peer.value)}
        >
          only ${shortPeer(desk.chosenPeer.value)}
        </button>`
      }
    </div>
    ${
      chips.value.length > 1 &&
      html`<div class="chips" role="group" aria-label="Kinds of events">
        ${chips.value
          .slice(0, MOST_CHIPS)
          .map(
            ([area, n]) =>
              html`<button
                type="button"
                class="chip"
                key=${area}
                aria-pressed=${areas.value.has(area)}
                onClick=${() => toggle(area)}
              >
                <span>${area}</span><span class="n">${countText(n)}</span>
              </button>`,
          )}
      </div>`
    }
    <div
      class="event-list"
      ref=${box}
      tabindex="0"
      role=${count === 0 ? 'group' : 'listbox'}
      aria-label="Events, newest first. Enter shows the moment of the chosen one."
      aria-activedescendant=${chosenLine === undefined ? undefined : `event-${chosenLine.id}`}
      data-testid="event-list"
      onScroll=${() => void (top.value = box.current!.scrollTop)}
      onKeyDown=${onKeyDown}
    >
      <div class="run" style=${{ height: `${count * ROW}px` }}>
        ${rows.map((row) => {
          const line = lineAt(row)!
          return html`<${EventRow}
            key=${line.id}
            line=${line}
            y=${row * ROW}
            index=${row + 1}
            count=${count}
            isChosen=${line.id === chosen.value}
            choose=${() => void (chosen.value = line.id)}
          />`
        })}
      </div>
      ${
        count === 0 &&
        html`<${Empty} title=${lines.value.length === 0 ? 'Nothing has happened yet' : 'No event is found'}>
          ${lines.value.length === 0 ? 'Events stand here as soon as the swarm says something.' : 'Try fewer words, or fewer kinds.'}
        <//>`
      }
    </div>
    ${
      chosenLine?.event !== undefined &&
      html`<${EventDetail}
        desk=${desk}
        line=${chosenLine}
        event=${chosenLine.event}
        close=${() => {
          chosen.value = undefined
          box.current?.focus()
        }}
      />`
    }
    ${
      desk.forgotten.value > 0 &&
      html`<div class="foot">
        ${countText(desk.forgotten.value)} older events have made room and are in the recording only
      </div>`
    }
  <//>`
}

function areasOf(lines: readonly LogLine[]): readonly (readonly [area: string, count: number])[] {
  const counts = new Map<string, number>()
  for (const { event } of lines) {
    if (event === undefined) continue
    const area = areaOf(event.type)
    counts.set(area, (counts.get(area) ?? 0) + 1)
  }
  // by name, so that none moves away under a pointer when the counts change
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
}
