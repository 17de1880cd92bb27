import type { Core, ElementDefinition, EventObject, StylesheetJson } from 'cytoscape'
import type { Graph, GraphLine, GraphNode } from './graphOf.ts'

/** Colours of the canvas, as CSS has resolved them for the theme. */
export type Palette = Readonly<
  Record<'card' | 'text' | 'dim' | 'edge' | 'accent' | 'good' | 'strained' | 'bad' | 'calm' | 'violet', string>
>

/** What the canvas tells. */
export interface CanvasHandlers {
  /** A node was chosen. */
  choose(id: string): void
  /** The pointer is over a node, or left it; where, in pixels of the canvas. */
  hover(id: string | undefined, x: number, y: number): void
}

/** The drawn network. */
export interface NetworkCanvas {
  /** Draws a graph; what stays the same is not touched. */
  show(graph: Graph): void
  /** Marks a node as chosen, and another as having the keyboard's focus. */
  mark(chosen: string | undefined, focused: string | undefined): void
  /** Takes other colours. */
  paint(palette: Palette): void
  /** Everything in sight. */
  fit(): void
  /** Closer, or further away. */
  zoom(factor: number): void
  /** Its element has another size. */
  resize(): void
  /** Lets go of everything. */
  end(): void
}

const SHAPE = { good: 'ellipse', strained: 'triangle', bad: 'diamond', unknown: 'ellipse' } as const
const MOST_ZOOM = 1.3

/**
 * Draws graphs with cytoscape: at fixed places, so that nothing moves by itself.
 *
 * @param isCalm Whether the reader wants no motion.
 */
export function networkCanvas(
  cytoscape: typeof import('cytoscape'),
  container: HTMLElement,
  palette: Palette,
  isCalm: () => boolean,
  handlers: CanvasHandlers,
): NetworkCanvas {
  const isCoarse = globalThis.matchMedia('(pointer: coarse)').matches
  const cy: Core = cytoscape({
    container,
    style: sheet(palette),
    layout: { name: 'preset' },
    minZoom: 0.15,
    maxZoom: 2.5,
    userZoomingEnabled: false,
    userPanningEnabled: !isCoarse,
    boxSelectionEnabled: false,
    autoungrabify: true,
    autounselectify: true,
  })
  let hasMoved = false
  let shape = ''
  const fit = (): void => {
    cy.resize()
    const gentle = !isCalm() && shape !== ''
    const drawn = cy.elements()
    if (drawn.length === 0) return
    const box = drawn.boundingBox({ includeLabels: true })
    const zoom = Math.min(MOST_ZOOM, (cy.width() - 36) / box.w, (cy.height() - 56) / box.h)
    const pan = {
      x: cy.width() / 2 - ((box.x1 + box.x2) / 2) * zoom,
      y: (cy.height() - 18) / 2 - ((box.y1 + box.y2) / 2) * zoom,
    }
    if (gentle) cy.stop().animate({ zoom, pan }, { duration: 220, easing: 'ease-out' })
    else cy.viewport({ zoom, pan })
  }
  cy.on('tap', 'node', (event: EventObject) => handlers.choose((event.target as { id(): string }).id()))
  cy.on('mouseover', 'node', (event: EventObject) => {
    const { x, y } = (event.target as { renderedPosition(): { x: number; y: number } }).renderedPosition()
    handlers.hover((event.target as { id(): string }).id(), x, y)
  })
  cy.on('mouseout', 'node', () => handlers.hover(undefined, 0, 0))
  cy.on('dragpan', () => (hasMoved = true))
  return {
    show({ nodes, lines }) {
      const wanted = new Map<string, ElementDefinition>()
      for (const node of nodes) wanted.set(node.id, nodeOf(node))
      for (const line of lines) wanted.set(line.id, lineOf(line))
      cy.batch(() => {
        for (const element of cy.elements().toArray()) {
          if (!wanted.has(element.id())) element.remove()
        }
        for (const [id, definition] of wanted) {
          const known = cy.getElementById(id)
          if (known.empty()) {
            const added = cy.add(definition)
            if (!isCalm()) added.style('opacity', 0).animate({ style: { opacity: 1 } }, { duration: 240 })
            continue
          }
          const { label, look } = definition.data as { label: string; look: string }
          if (known.data('label') !== label) known.data('label', label)
          if (known.data('look') !== look) known.data('look', look).classes(look)
          if (definition.position !== undefined) {
            const { x, y } = known.position()
            if (x !== definition.position.x || y !== definition.position.y) known.position(definition.position)
          }
        }
      })
      const box = nodes.map(({ id, x, y }) => `${id}${x},${y}`).join()
      if (box === shape) return
      if (!hasMoved) fit()
      shape = box
    },
    mark(chosen, focused) {
      cy.batch(() => {
        cy.nodes().removeClass('chosen focused')
        if (chosen !== undefined) cy.getElementById(chosen).addClass('chosen')
        if (focused === undefined) return
        const node = cy.getElementById(focused).addClass('focused')
        if (node.nonempty() && !isInSight(cy, node.renderedPosition())) cy.center(node)
      })
    },
    paint: (colours) => void cy.style(sheet(colours)),
    fit() {
      hasMoved = false
      fit()
    },
    zoom(factor) {
      hasMoved = true
      const centre = { x: cy.width() / 2, y: cy.height() / 2 }
      cy.zoom({ level: cy.zoom() * factor, renderedPosition: centre })
    },
    resize() {
      if (hasMoved) cy.resize()
      else fit()
    },
    end: () => cy.destroy(),
  }
}

function isInSight(cy: Core, { x, y }: { readonly x: number; readonly y: number }): boolean {
  return x > 0 && y > 0 && x < cy.width() && y < cy.height()
}

function nodeOf({ id, kind, label, health, isRelay, x, y }: GraphNode): ElementDefinition {
  const look = `${kind} ${health}${isRelay ? ' relay' : ''}`
  return { group: 'nodes', data: { id, label, look }, classes: look, position: { x, y } }
}

function lineOf({ id, from, to, kind, label }: GraphLine): ElementDefinition {
  return { group: 'edges', data: { id, source: from, target: to, label, look: kind }, classes: kind }
}

function sheet(palette: Palette): StylesheetJson {
  const health = (['good', 'strained', 'bad'] as const).map((name) => ({
    selector: `node.peer.${name}`,
    style: { shape: SHAPE[name], 'border-color': palette[name], 'background-color': palette[name] },
  }))
  return [
    {
      selector: 'node',
      style: {
        label: 'data(label)',
        color: palette.text,
        'font-size': 11,
        'font-family': 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace',
        'text-valign': 'bottom',
        'text-margin-y': 5,
        'text-wrap': 'wrap',
        'text-background-color': palette.card,
        'text-background-opacity': 0.85,
        'text-background-padding': '1px',
        width: 22,
        height: 22,
        'background-color': palette.dim,
        'background-opacity': 0.9,
        'border-width': 2,
        'border-color': palette.dim,
        'overlay-opacity': 0,
        'min-zoomed-font-size': 7.5,
      },
    },
    ...health,
    { selector: 'node.peer.strained', style: { width: 27, height: 25 } },
    { selector: 'node.peer.bad', style: { width: 28, height: 28 } },
    { selector: 'node.peer.unknown', style: { 'background-color': palette.card, 'border-style': 'dashed' } },
    { selector: 'node.relay', style: { 'border-width': 3, 'border-style': 'double', width: 30, height: 30 } },
    {
      selector: 'node.self',
      style: {
        shape: 'round-hexagon',
        width: 44,
        height: 40,
        'background-color': palette.accent,
        'border-color': palette.accent,
        'font-size': 12,
        'font-family': 'system-ui, "DejaVu Sans", sans-serif',
        'font-weight': 'bold',
      },
    },
    {
      selector: 'node.topic',
      style: {
        shape: 'round-tag',
        width: 18,
        height: 14,
        'background-color': palette.violet,
        'border-color': palette.violet,
        color: palette.violet,
        'font-size': 10,
      },
    },
    {
      selector: 'node.chosen',
      style: { 'outline-width': 4, 'outline-color': palette.accent, 'outline-opacity': 0.45, 'outline-offset': 3 },
    },
    {
      selector: 'node.focused',
      style: { 'outline-width': 2, 'outline-color': palette.accent, 'outline-opacity': 1, 'outline-offset': 4 },
    },
    {
      selector: 'edge',
      style: {
        width: 1.6,
        'line-color': palette.edge,
        'curve-style': 'straight',
        'target-label': 'data(label)',
        'target-text-offset': 36,
        color: palette.dim,
        'font-size': 9,
        'text-background-color': palette.card,
        'text-background-opacity': 1,
        'text-background-padding': '2px',
        'min-zoomed-font-size': 8,
        'overlay-opacity': 0,
      },
    },
    {
      selector: 'edge.relayed',
      style: { 'line-style': 'dashed', 'line-color': palette.strained, 'line-dash-pattern': [7, 5] },
    },
    { selector: 'edge.chained', style: { 'line-style': 'dotted', 'line-color': palette.calm, width: 2.4 } },
    {
      selector: 'edge.topic',
      style: { 'line-style': 'dotted', 'line-color': palette.violet, width: 1.2, 'line-opacity': 0.8 },
    },
  ] as unknown as StylesheetJson
}
