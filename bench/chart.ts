/** A bar chart as SVG: one question, one bar a contestant. Text is the reader's own font and colour scheme. */

export interface Bar {
  readonly name: string
  readonly value: number
  /** What is written beside the bar. */
  readonly label: string
}

const BAR_HEIGHT = 22
const GAP = 6
const NAME_WIDTH = 330
const BAR_WIDTH = 300
const LABEL_WIDTH = 170
const TITLE_HEIGHT = 34

/** Draws the bars; the longest fills the width. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const longest = Math.max(...bars.map(({ value }) => value))
  const width = NAME_WIDTH + BAR_WIDTH + LABEL_WIDTH
  const height = TITLE_HEIGHT + bars.length * (BAR_HEIGHT + GAP)
  const rows = bars.map((bar, i) => row(bar, TITLE_HEIGHT + i * (BAR_HEIGHT + GAP), longest))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    '<style>text{font:13px system-ui,sans-serif;fill:#555}.t{font-weight:600}.b{fill:#9aa5b1}.l{fill:#2f6f4f}',
    '@media(prefers-color-scheme:dark){text{fill:#ccc}.b{fill:#5c6773}.l{fill:#58a77c}}</style>',
    `<text class="t" x="0" y="18">${escaped(title)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n')
}

function row({ name, value, label }: Bar, y: number, longest: number): string {
  const length = Math.max(1, (value / longest) * BAR_WIDTH)
  const kind = name.startsWith('Larder') ? 'l' : 'b'
  const baseline = y + BAR_HEIGHT - 7
  return [
    `<text x="${NAME_WIDTH - 10}" y="${baseline}" text-anchor="end">${escaped(name)}</text>`,
    `<rect class="${kind}" x="${NAME_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="3"/>`,
    `<text x="${NAME_WIDTH + length + 8}" y="${baseline}">${escaped(label)}</text>`,
  ].join('')
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
