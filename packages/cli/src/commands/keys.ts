import { tagName, tagText } from '@larder/core/store'
import type { EntryRow } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { sizeOf, spanText } from '../output/units.ts'
import { type EntryState, stateOf } from './entry-state.ts'
import { assertKnown, firstOf, itemsOf, scanOptions, tellIncomplete } from './looked.ts'

interface Row {
  readonly key: string
}

interface LongRow extends Row {
  readonly cache: string
  readonly state: EntryState
  readonly leftMs: number
  readonly bytes: number | null
  readonly tags: readonly string[]
}

const SHORT: readonly Column<Row>[] = [{ title: 'key', text: ({ key }) => key }]

const LONG: readonly Column<LongRow>[] = [
  { title: 'state', text: ({ state }) => state },
  { title: 'left', isRight: true, text: ({ leftMs }) => spanText(leftMs) },
  { title: 'size', isRight: true, text: ({ bytes }) => sizeOf(bytes) },
  { title: 'key', text: ({ key }) => key },
]

export async function runKeys(session: Session): Promise<number> {
  const { inspection, namespace, options, words, out } = session
  await assertKnown(session)
  const tag = options.text('tag')
  const isLong = options.has('long')
  const progress = { lookedAt: 0, isComplete: false }
  const scan = inspection.entries(namespace, words[0] ?? '', {
    ...scanOptions(session, 0),
    wantsHeaders: isLong || tag !== undefined,
  })
  const found = withTag(itemsOf(scan, progress), tag)
  const limit = options.count('limit')
  if (isLong) {
    const nowMs = await inspection.servers()[0]?.nowMs()
    await out.list(
      LONG,
      mapped(firstOf(found, limit), (row) => longRow(row, nowMs ?? 0)),
    )
  } else
    await out.list(
      SHORT,
      mapped(firstOf(found, limit), ({ key }) => ({ key })),
    )
  if (options.text('scan') !== undefined) await tellIncomplete(session, progress)
  return EXIT.done
}

async function* withTag(
  rows: AsyncIterable<EntryRow>,
  tag: string | undefined,
): AsyncGenerator<EntryRow, void, undefined> {
  const name = tag === undefined ? undefined : tagName(tag)
  for await (const row of rows) {
    if (name === undefined || row.head?.tags.includes(name) === true) yield row
  }
}

async function* mapped<Row, Result>(
  rows: AsyncIterable<Row>,
  map: (row: Row) => Result,
): AsyncGenerator<Result, void, undefined> {
  for await (const row of rows) yield map(row)
}

function longRow(row: EntryRow, nowMs: number): LongRow {
  const { key, cache, leftMs, bytes, head } = row
  const state = stateOf(row, nowMs)
  return { key, cache, state, leftMs, bytes: bytes ?? null, tags: head?.tags.map(tagText) ?? [] }
}
