import { html } from 'htm/preact'
import type { VNode } from 'preact'
import type { Sample } from '../model/dashboardItem.ts'
import type { Desk } from './desk.ts'
import { Meter, type MeterPart } from './parts/Meter.ts'
import { Spark } from './parts/Spark.ts'
import { bytesText } from './text/bytesText.ts'
import { countText } from './text/countText.ts'
import { spanText } from './text/spanText.ts'
import { bytesPerSecond, commandsPerSecond, eventsPerSecond } from './charts/rates.ts'
import { samplesUntil } from './charts/samplesUntil.ts'

/** Samples that a small line shows: a minute. */
const SHOWN = 60

/** The most important numbers, each with its last minute. */
export function Tiles({ desk }: { readonly desk: Desk }): VNode {
  const view = desk.view.value
  const samples = samplesUntil(desk.samples.value, desk.momentAt.value).slice(-SHOWN)
  const last = view.sample
  const linked = view.peers.filter(({ links }) => links.length > 0)
  const relayed = linked.filter(({ links }) => links.every(({ kind }) => kind !== 'direct')).length
  const line = (read: (sample: Sample) => number): readonly number[] => samples.map(read)
  const bytes = last?.bytes === undefined ? undefined : bytesPerSecond(last)
  return html`<dl class=${`tiles at-tiles ${bytes === undefined ? 'are-six' : ''}`} data-testid="tiles">
    <${Tile}
      id="peers"
      name="Connected peers"
      value=${linked.length}
      more=${relayed > 0 ? `${relayed} not direct` : `of ${view.peers.length} known`}
      parts=${[
        { share: (linked.length - relayed) / Math.max(1, view.peers.length), class: 'is-good' },
        { share: relayed / Math.max(1, view.peers.length), class: 'is-strained' },
      ]}
    />
    <${Tile}
      id="connections"
      name="Connections"
      value=${countText(last?.connections)}
      line=${line((one) => one.connections)}
    />
    <${Tile}
      id="commands"
      name="Commands"
      value=${countText(last && commandsPerSecond(last))}
      more="a second"
      line=${line(commandsPerSecond)}
    />
    <${Tile}
      id="events"
      name="Events"
      value=${countText(last && eventsPerSecond(last))}
      more="a second"
      line=${line(eventsPerSecond)}
    />
    ${
      bytes !== undefined &&
      html`<${Tile}
          id="in"
          name="Received"
          value=${bytesText(bytes.in)}
          more="/s"
          line=${line((one) => bytesPerSecond(one).in)}
        />
        <${Tile}
          id="out"
          name="Sent"
          value=${bytesText(bytes.out)}
          more="/s"
          line=${line((one) => bytesPerSecond(one).out)}
        />`
    }
    <${Tile}
      id="loop"
      name="Event loop delay"
      value=${spanText(last?.loop.maxMs)}
      more="at most"
      line=${line((one) => one.loop.maxMs)}
    />
    <${Tile}
      id="cpu"
      name="Processor"
      value=${last === undefined ? '–' : `${Math.round(last.cpu * 100)} %`}
      more=${last === undefined ? '' : bytesText(last.rssBytes)}
      line=${line((one) => one.cpu)}
    />
  </dl>`
}

interface TileProps {
  readonly id: string
  readonly name: string
  readonly value: string | number
  readonly more?: string
  readonly line?: readonly number[]
  readonly parts?: readonly MeterPart[]
}

function Tile({ id, name, value, more = '', line, parts }: TileProps): VNode {
  return html`<div class="tile">
    <dt>${name}</dt>
    <dd>
      <p><span data-testid=${`tile-${id}`}>${value}</span>${more !== '' && html`<small>${more}</small>`}</p>
      ${line !== undefined && html`<${Spark} values=${line} />`}
      ${parts !== undefined && html`<${Meter} parts=${parts} />`}
    </dd>
  </div>`
}
