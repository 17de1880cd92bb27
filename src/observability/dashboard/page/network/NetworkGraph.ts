import { useSignal } from '@preact/signals'
import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { PeerView } from '../../model/dashboardView.ts'
import { isCalm } from '../browserPorts.ts'
import type { Desk } from '../desk.ts'
import { cssColour } from '../parts/cssColour.ts'
import { icon } from '../parts/icon.ts'
import { shortPeer } from '../text/shortPeer.ts'
import { themeTurn } from '../ThemeSwitch.ts'
import { graphOf, type Graph } from './graphOf.ts'
import { linkText } from './linkText.ts'
import { networkCanvas, type NetworkCanvas, type Palette } from './networkCanvas.ts'
import type { Seats } from './placePeers.ts'

/** The network as a picture. All that it shows stands in the table as well. */
export function NetworkGraph({ desk }: { readonly desk: Desk }): VNode {
  const box = useRef<HTMLDivElement>(null)
  const held = useRef<{ canvas?: NetworkCanvas; seats: Seats; graph?: Graph }>({ seats: new Map() })
  const hovered = useSignal<{ readonly id: string; readonly x: number; readonly y: number } | undefined>(undefined)
  const focused = useSignal<string | undefined>(undefined)
  const isDrawn = useSignal(false)
  const view = desk.view.value
  const graph = graphOf(view, desk.topics.value, held.current.seats)
  held.current.seats = graph.seats
  held.current.graph = graph
  const turn = themeTurn.value

  useEffect(() => {
    const state = held.current
    const element = box.current!
    let isOver = false
    const watcher = new ResizeObserver(() => state.canvas?.resize())
    void import('cytoscape').then(({ default: cytoscape }) => {
      if (isOver) return
      state.canvas = networkCanvas(cytoscape as never, element, palette(), isCalm, {
        choose(id) {
          if (id !== desk.view.value.self && !id.startsWith('topic:')) desk.chosenPeer.value = id
        },
        hover: (id, x, y) => void (hovered.value = id === undefined ? undefined : { id, x, y }),
      })
      state.canvas.show(state.graph!)
      state.canvas.mark(desk.chosenPeer.value, undefined)
      watcher.observe(element)
      isDrawn.value = true
    })
    return () => {
      isOver = true
      watcher.disconnect()
      state.canvas?.end()
      delete state.canvas
    }
  }, [])
  useEffect(() => held.current.canvas?.show(graph))
  useEffect(() => held.current.canvas?.paint(palette()), [turn])
  useEffect(
    () => held.current.canvas?.mark(desk.chosenPeer.value, focused.value),
    [desk.chosenPeer.value, focused.value, isDrawn.value],
  )

  const drawn = graph.nodes.filter(({ kind }) => kind === 'peer')
  const onKeyDown = (event: KeyboardEvent): void => {
    // Enter and Space on a button of the graph press that button
    const isGraph = event.target === event.currentTarget
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    if (step !== undefined && drawn.length > 0) {
      const at = drawn.findIndex(({ id }) => id === focused.value)
      focused.value = drawn[(at + step + drawn.length + (at < 0 && step < 0 ? 1 : 0)) % drawn.length]!.id
    } else if ((event.key === 'Enter' || event.key === ' ') && isGraph && focused.value !== undefined)
      desk.chosenPeer.value = focused.value
    else if (event.key === 'Escape') focused.value = undefined
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const spoken = view.peers.find(({ peer }) => peer === focused.value)
  const pointed = view.peers.find(({ peer }) => peer === hovered.value?.id)
  return html`<div
    class="graph"
    role="application"
    tabindex="0"
    aria-label=${`Graph of ${drawn.length} ${drawn.length === 1 ? 'peer' : 'peers'}. Arrow keys go from peer to peer, Enter shows the details. The table has the same.`}
    data-testid="graph"
    data-nodes=${drawn.length}
    onKeyDown=${onKeyDown}
    onBlur=${() => void (focused.value = undefined)}
  >
    <div class="canvas" ref=${box}></div>
    ${pointed !== undefined && hovered.value !== undefined && html`<${Tip} peer=${pointed} at=${hovered.value} />`}
    <div class="unseen" aria-live="polite">${spoken === undefined ? '' : wordsOf(spoken)}</div>
    ${drawn.length > 0 && html`<${Legend} graph=${graph} />`}
    ${graph.more > 0 && html`<span class="pill more-peers" data-testid="more-peers">and ${graph.more} more in the table</span>`}
    <div class="zoom">
      <button type="button" class="button" aria-label="Closer" onClick=${() => held.current.canvas?.zoom(1.3)}>
        ${icon('plus')}
      </button>
      <button
        type="button"
        class="button"
        aria-label="Further away"
        onClick=${() => held.current.canvas?.zoom(1 / 1.3)}
      >
        ${icon('minus')}
      </button>
      <button type="button" class="button" aria-label="Everything in sight" onClick=${() => held.current.canvas?.fit()}>
        ${icon('fit')}
      </button>
    </div>
  </div>`
}

const wordsOf = (peer: PeerView): string =>
  `Peer ${shortPeer(peer.peer)}: ${linkText(peer)}; ${peer.health}: ${peer.reason}`

function Tip({
  peer,
  at,
}: {
  readonly peer: PeerView
  readonly at: { readonly x: number; readonly y: number }
}): VNode {
  const style = { left: `${Math.max(4, at.x - 60)}px`, top: `${at.y + 24}px` }
  return html`<div class="tip" style=${style}>
    <strong>${shortPeer(peer.peer)}</strong> ${peer.agent ?? ''}
    <div>${linkText(peer)}</div>
    <div class=${`tone-${peer.health}`}>${peer.health}: ${peer.reason}</div>
  </div>`
}

function Legend({ graph }: { readonly graph: Graph }): VNode {
  const has = (kind: string): boolean => graph.lines.some((line) => line.kind === kind)
  const is = (health: string): boolean => graph.nodes.some((node) => node.kind === 'peer' && node.health === health)
  return html`<div class="legend" aria-hidden="true">
    ${
      is('good') &&
      html`<span
        ><svg viewBox="0 0 20 10"><circle class="fill-good" cx="10" cy="5" r="4.5" /></svg>good</span
      >`
    }
    ${
      is('strained') &&
      html`<span
        ><svg viewBox="0 0 20 10"><path class="fill-strained" d="M10 0l6 10H4z" /></svg>strained</span
      >`
    }
    ${
      is('bad') &&
      html`<span
        ><svg viewBox="0 0 20 10"><path class="fill-bad" d="M10-1l6 6-6 6-6-6z" /></svg>bad</span
      >`
    }
    ${
      has('direct') &&
      html`<span
        ><svg viewBox="0 0 20 10"><path class="line-direct" d="M0 5h20" /></svg>direct</span
      >`
    }
    ${
      has('relayed') &&
      html`<span
        ><svg viewBox="0 0 20 10"><path class="line-relayed" d="M0 5h20" /></svg>relayed</span
      >`
    }
    ${
      has('chained') &&
      html`<span
        ><svg viewBox="0 0 20 10"><path class="line-chained" d="M0 5h20" /></svg>chain</span
      >`
    }
    ${
      has('topic') &&
      html`<span
        ><svg viewBox="0 0 20 10"><path class="line-topic" d="M0 5h20" /></svg>topic</span
      >`
    }
  </div>`
}

function palette(): Palette {
  const names = ['card', 'text', 'dim', 'edge', 'accent', 'good', 'strained', 'bad', 'calm', 'violet'] as const
  return Object.fromEntries(names.map((name) => [name, cssColour(`--${name}`)])) as unknown as Palette
}
