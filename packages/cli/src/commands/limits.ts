import type { LimitRow } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { countOf, spanText } from '../output/units.ts'
import { firstOf, itemsOf, scanOptions, tellIncomplete } from './looked.ts'

const COLUMNS: readonly Column<LimitRow>[] = [
  { title: 'limiter', text: ({ limiter }) => limiter },
  { title: 'policy', text: ({ policy }) => policy ?? '-' },
  { title: 'algorithm', text: ({ algorithm }) => algorithm },
  { title: 'used', isRight: true, text: ({ used }) => (used === undefined ? '-' : countOf(used)) },
  { title: 'left', isRight: true, text: ({ leftMs }) => spanText(leftMs) },
  { title: 'key', text: ({ key }) => key },
]

export async function runLimits(session: Session): Promise<number> {
  const { namespace, words, options, out } = session
  const inspection = await session.inspectionOf('limits')
  const progress = { lookedAt: 0, isComplete: false }
  const found = itemsOf(inspection.limits(namespace, scanOptions(session)), progress)
  const limit = options.count('limit')
  const how = { limiter: words[0], blocked: options.has('blocked') }
  await out.list(COLUMNS, firstOf(asked(found, how), limit))
  if (limit === undefined) await tellIncomplete(session, progress)
  return EXIT.done
}

async function* asked(
  rows: AsyncIterable<LimitRow>,
  { limiter, blocked }: { readonly limiter: string | undefined; readonly blocked: boolean },
): AsyncGenerator<LimitRow, void, undefined> {
  for await (const row of rows) {
    const isAsked = limiter === undefined || row.limiter === limiter
    if (isAsked && (!blocked || row.algorithm === 'block')) yield row
  }
}
