/** Small charts side by side, one line a contestant, as SVG; every panel has a scale of its own. */

import { escaped } from './chart.ts'

export interface Panel {
  readonly title: string
  /** One value a contestant and place on the x-axis, contestants in the order of their names. */
  readonly lines: readonly (readonly number[])[]
}

export interface LineChart {
  readonly title: string
  readonly names: readonly string[]
  /** What is written below the x-axis, evenly spaced. */
  readonly places: readonly string[]
  readonly panels: readonly Panel[]
  /** How values are written beside the y-axis. */
  label(value: number): string
}

const COLOURS = ['#b8860b', '#c2553d', '#7d6bb3', '#3d7fb8', '#2f9f6f', '#8a8f98']
const COLUMNS = 3
const PANEL = { width: 260, height: 130, left: 42, top: 22, gap: 30 } as const
const HEAD_HEIGHT = 52
const PLACES_HEIGHT = 18
const MARK_HEIGHT = 12

export function lineChart(chart: LineChart): string {
  const rows = Math.ceil(chart.panels.length / COLUMNS)
  const cell = {
    width: PANEL.left + PANEL.width + PANEL.gap,
    height: PANEL.top + PANEL.height + PLACES_HEIGHT + PANEL.gap,
  }
  const panels = chart.panels.map((panel, i) => {
    const [x, y] = [(i % COLUMNS) * cell.width, HEAD_HEIGHT + Math.floor(i / COLUMNS) * cell.height]
    return `<g transform="translate(${x + PANEL.left} ${y + PANEL.top})">${drawn(panel, chart)}</g>`
  })
  const [width, height] = [COLUMNS * cell.width, HEAD_HEIGHT + rows * cell.height]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(chart.title)}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#555}.t{font-weight:600}.s{font-size:10px}',
    '.z{stroke:#999}.p{fill:none;stroke-width:1.8}',
    '@media(prefers-color-scheme:dark){text{fill:#ccc}}</style>',
    `<text class="t" x="0" y="16">${escaped(chart.title)}</text>`,
    legend(chart.names),
    ...panels,
    '</svg>',
    '',
  ].join('\n')
}

function legend(names: readonly string[]): string {
  let x = 0
  const items = names.map((name, i) => {
    const item = `<rect x="${x}" y="29" width="14" height="4" fill="${colour(i)}"/><text x="${x + 19}" y="36">${escaped(name)}</text>`
    x += 40 + name.length * 7
    return item
  })
  return items.join('')
}

function drawn(panel: Panel, { places, label }: LineChart): string {
  const values = [0, ...panel.lines.flat()]
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const x = (place: number): number => (place / Math.max(1, places.length - 1)) * PANEL.width
  const y = (value: number): number =>
    PANEL.height - ((value - least) / (most - least || 1)) * PANEL.height
  // Zero is always named; the ends only where they would not be written over it.
  const ends = [least, most].filter((value) => Math.abs(y(value) - y(0)) > MARK_HEIGHT)
  const marks = [0, ...ends].map(
    (value) =>
      `<text class="s" x="-5" y="${(y(value) + 3).toFixed(1)}" text-anchor="end">${label(value)}</text>`,
  )
  const lines = panel.lines.map((line, i) => {
    const points = line.map((value, place) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`)
    return `<polyline class="p" stroke="${colour(i)}" points="${points.join(' ')}"/>`
  })
  const names = places.map(
    (place, i) =>
      `<text class="s" x="${x(i).toFixed(1)}" y="${PANEL.height + 15}" text-anchor="middle">${escaped(place)}</text>`,
  )
  return [
    `<text x="0" y="-8">${escaped(panel.title)}</text>`,
    `<line class="z" x1="0" x2="${PANEL.width}" y1="${y(0).toFixed(1)}" y2="${y(0).toFixed(1)}"/>`,
    ...marks,
    ...lines,
    ...names,
  ].join('')
}

function colour(contestant: number): string {
  return COLOURS[contestant % COLOURS.length] ?? ''
}
