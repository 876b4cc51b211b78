/** Tables for people: columns are as wide as their first rows need, and any number of rows may follow. */

import { visible } from './escape.ts'

export interface Column<Row> {
  readonly title: string
  /** Numbers stand at the right. @default false */
  readonly isRight?: boolean
  text(row: Row): string
}

/** How many rows decide how wide the columns are. Nothing waits for later rows. */
const MEASURED_ROWS = 100
const GAP = '  '

/** Lines of a table, the title first; nothing when there are no rows. */
export async function* tableOf<Row>(
  columns: readonly Column<Row>[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<string, void, undefined> {
  const first: string[][] = []
  let widths: readonly number[] | undefined
  for await (const row of rows) {
    const cells = columns.map((column) => visible(column.text(row)))
    if (widths !== undefined) {
      yield lineOf(columns, cells, widths)
      continue
    }
    first.push(cells)
    if (first.length < MEASURED_ROWS) continue
    widths = widthsOf(columns, first)
    yield* begin(columns, first, widths)
  }
  if (widths === undefined && first.length > 0)
    yield* begin(columns, first, widthsOf(columns, first))
}

function* begin<Row>(
  columns: readonly Column<Row>[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): Generator<string, void, undefined> {
  const titles = columns.map(({ title }) => title.toUpperCase())
  yield lineOf(columns, titles, widths)
  for (const cells of rows) yield lineOf(columns, cells, widths)
}

function widthsOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly (readonly string[])[],
): readonly number[] {
  return columns.map(({ title }, i) =>
    rows.reduce((most, cells) => Math.max(most, (cells[i] ?? '').length), title.length),
  )
}

function lineOf<Row>(
  columns: readonly Column<Row>[],
  cells: readonly string[],
  widths: readonly number[],
): string {
  const padded = columns.map(({ isRight = false }, i) => {
    const cell = cells[i] ?? ''
    const width = widths[i] ?? 0
    if (isRight) return cell.padStart(width)
    return i === columns.length - 1 ? cell : cell.padEnd(width)
  })
  return padded.join(GAP).trimEnd()
}
