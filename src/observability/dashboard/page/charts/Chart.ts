import { html } from 'htm/preact'
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { cssColour } from '../parts/cssColour.ts'
import { clockText } from '../text/clockText.ts'
import { themeTurn } from '../ThemeSwitch.ts'
import { chartSummary, type ChartData } from './chartsOf.ts'

/** What a {@link Chart} is given. */
export interface ChartProps {
  /** What it draws. */
  readonly chart: ChartData
  /** Of each value. @unit seconds since the Unix epoch */
  readonly times: readonly number[]
  /** What is on the time axis. @unit seconds since the Unix epoch */
  readonly range: readonly [from: number, to: number]
  /** The moment shown. @unit seconds since the Unix epoch */
  readonly needle: number | undefined
  /** Shows a moment. @unit seconds since the Unix epoch */
  readonly pick: (at: number) => void
}

const COLOURS = ['--accent', '--violet', '--calm', '--strained'] as const

/** Distances of the marks on the time axis. @unit seconds */
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600]

/** A moving chart: with its values in words above it, and a summary for screen readers. */
export function Chart(props: ChartProps): VNode {
  const { chart, times, range, needle } = props
  const box = useRef<HTMLDivElement>(null)
  const held = useRef<{ plot?: uPlot; props: ChartProps }>({ props })
  held.current.props = props
  const turn = themeTurn.value
  const shape = `${chart.lines.length}${turn}`
  useEffect(() => {
    const state = held.current
    const element = box.current!
    let isOver = false
    const watcher = new ResizeObserver(() => {
      state.plot?.setSize({ width: element.clientWidth, height: element.clientHeight })
    })
    void import('uplot').then(({ default: Plot }) => {
      if (isOver) return
      state.plot = new Plot(optionsOf(state, element), dataOf(state.props), element)
      watcher.observe(element)
    })
    return () => {
      isOver = true
      watcher.disconnect()
      state.plot?.destroy()
      delete state.plot
    }
  }, [shape])
  useEffect(() => {
    const { plot } = held.current
    if (plot === undefined) return
    plot.batch(() => {
      plot.setData(dataOf(props), false)
      plot.setScale('x', { min: range[0], max: range[1] })
    })
  }, [times, range[0], range[1], needle, chart])
  const index = needle === undefined ? times.length - 1 : times.findLastIndex((time) => time <= needle)
  return html`<figure class="chart" data-testid=${`chart-${chart.id}`}>
    <figcaption>
      <strong>${chart.title}</strong>
      <span class="keys" aria-hidden="true">
        ${chart.lines.map(
          ({ name, values }, i) =>
            html`<span><i class=${`key-${i}`}></i>${name} <b>${chart.text(values[index] ?? undefined)}</b></span>`,
        )}
      </span>
      <span class="unseen">${chartSummary(chart)}</span>
    </figcaption>
    <div class="plot" ref=${box} aria-hidden="true"></div>
  </figure>`
}

function dataOf({ chart, times }: ChartProps): uPlot.AlignedData {
  return [times, ...chart.lines.map(({ values }) => values)] as unknown as uPlot.AlignedData
}

function optionsOf(state: { plot?: uPlot; props: ChartProps }, element: HTMLElement): uPlot.Options {
  const dim = cssColour('--dim')
  const line = cssColour('--line')
  const font = '10px system-ui, "DejaVu Sans", sans-serif'
  const axis = { stroke: dim, font, ticks: { show: false } }
  const value = (at: number): string => state.props.chart.text(at)
  return {
    width: Math.max(80, element.clientWidth),
    height: element.clientHeight,
    padding: [6, 14, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: 'rxswarm' },
      drag: { x: false, y: false },
      points: { size: 6 },
      bind: {
        click: (plot) => () => {
          if (plot.cursor.left !== undefined && plot.cursor.left >= 0) {
            state.props.pick(plot.posToVal(plot.cursor.left, 'x'))
          }
          return null
        },
      },
    },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] }, // marks that all read 0 tell nothing
    },
    axes: [
      {
        ...axis,
        size: 25,
        gap: 8,
        space: 52,
        incrs: TICKS,
        grid: { show: false },
        values: (_, splits) =>
          splits.map((at) => (at % 60 === 0 ? clockText(at * 1_000).slice(0, 5) : clockText(at * 1_000))),
      },
      {
        ...axis,
        size: 58,
        gap: 4,
        space: 28,
        grid: { stroke: line, width: 1 },
        values: (_, splits) => splits.map(value),
      },
    ],
    series: [
      {},
      ...state.props.chart.lines.map((_, i) => ({
        stroke: cssColour(COLOURS[i] ?? '--accent'),
        width: 1.5,
        points: { show: false },
        spanGaps: true,
        ...(i === 0 ? { fill: cssColour('--accent', 0.08) } : {}),
      })),
    ],
    hooks: {
      draw: [
        (plot) => {
          const { needle } = state.props
          if (needle === undefined) return
          const x = Math.round(plot.valToPos(needle, 'x', true))
          const { ctx, bbox } = plot
          ctx.save()
          ctx.fillStyle = cssColour('--card', 0.55)
          ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height)
          ctx.fillStyle = cssColour('--violet')
          ctx.fillRect(x - 1, bbox.top, 2, bbox.height)
          ctx.restore()
        },
      ],
    },
  }
}
