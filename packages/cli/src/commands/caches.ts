import type { EntryRow } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { countOf, sizeOf } from '../output/units.ts'
import { stateOf } from './entry-state.ts'
import { assertKnown, itemsOf, type Progress, scanOptions, tellIncomplete } from './looked.ts'

/** What was counted of a cache; `fresh` and `stale` by the entries' own times. */
export interface CacheCount {
  readonly cache: string
  entries: number
  fresh: number
  stale: number
  loading: number
  /** `null` when the server does not say. */
  bytes: number | null
}

const COLUMNS: readonly Column<CacheCount>[] = [
  { title: 'cache', text: ({ cache }) => cache },
  { title: 'entries', isRight: true, text: ({ entries }) => countOf(entries) },
  { title: 'fresh', isRight: true, text: ({ fresh }) => countOf(fresh) },
  { title: 'stale', isRight: true, text: ({ stale }) => countOf(stale) },
  { title: 'loading', isRight: true, text: ({ loading }) => countOf(loading) },
  { title: 'size', isRight: true, text: ({ bytes }) => sizeOf(bytes) },
]

/** Applications have few caches, because their names are code. The bound is for keys that only look like entries. */
const MOST_CACHES = 10_000

export async function runCaches(session: Session): Promise<number> {
  await assertKnown(session)
  const progress: Progress = { lookedAt: 0, isComplete: false }
  const counts = await countCaches(session, progress)
  await session.out.list(COLUMNS, largestFirst(counts))
  await tellIncomplete(session, progress)
  return EXIT.done
}

/** Counts entries by cache, as far as the scan goes. */
export async function countCaches(
  session: Session,
  progress: Progress,
): Promise<readonly CacheCount[]> {
  const { inspection, namespace } = session
  const nowMs = (await inspection.servers()[0]?.nowMs()) ?? 0
  const counts = new Map<string, CacheCount>()
  const how = { ...scanOptions(session), wantsHeaders: true }
  for await (const row of itemsOf(inspection.entries(namespace, '', how), progress)) {
    const known = counts.get(row.cache)
    if (known === undefined && counts.size >= MOST_CACHES) continue
    const count = known ?? {
      cache: row.cache,
      entries: 0,
      fresh: 0,
      stale: 0,
      loading: 0,
      bytes: 0,
    }
    add(count, row, nowMs)
    counts.set(row.cache, count)
  }
  return [...counts.values()]
}

function add(count: CacheCount, row: EntryRow, nowMs: number): void {
  const state = stateOf(row, nowMs)
  count.bytes = sumOf(count.bytes, row.bytes ?? null)
  if (state === 'loading') count.loading += 1
  else count.entries += 1
  if (state === 'fresh') count.fresh += 1
  else if (state !== 'loading') count.stale += 1
}

/** Unknown when one of them is. */
export function sumOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b
}

async function* largestFirst(
  counts: readonly CacheCount[],
): AsyncGenerator<CacheCount, void, undefined> {
  yield* [...counts].sort(
    (a, b) => (b.bytes ?? 0) - (a.bytes ?? 0) || a.cache.localeCompare(b.cache),
  )
}
