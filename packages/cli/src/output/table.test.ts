import { describe, expect, it } from 'vitest'
import { type Column, tableOf } from './table.ts'

interface Row {
  readonly name: string
  readonly count: number
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'name', text: ({ name }) => name },
  { title: 'count', isRight: true, text: ({ count }) => String(count) },
]

async function linesOf(rows: readonly Row[]): Promise<readonly string[]> {
  const lines: string[] = []
  async function* each(): AsyncGenerator<Row, void, undefined> {
    yield* rows
  }
  for await (const line of tableOf(COLUMNS, each())) lines.push(line)
  return lines
}

describe('a table', () => {
  it('has columns as wide as their cells, numbers at the right', async () => {
    const rows = [
      { name: 'products', count: 7 },
      { name: 'c', count: 1_000_000 },
    ]
    expect(await linesOf(rows)).toEqual([
      'NAME        COUNT',
      'products        7',
      'c         1000000',
    ])
  })

  it('without rows is nothing', async () => {
    expect(await linesOf([])).toEqual([])
  })

  it('takes rows as they come, and keeps to the width of the first ones', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => ({ name: 'x'.repeat(i), count: i }))
    const lines = await linesOf(rows)
    expect(lines).toHaveLength(501)
    expect(lines[1]).toHaveLength((lines[0] ?? '').length)
  })

  it('lets no cell break a line', async () => {
    expect(await linesOf([{ name: 'a\nb', count: 1 }])).toHaveLength(2)
  })
})
