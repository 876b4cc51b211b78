import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { countOf } from '../output/units.ts'
import { itemsOf, scanOptions, tellIncomplete } from './looked.ts'

interface Row {
  readonly namespace: string
  readonly keys: number
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'namespace', text: ({ namespace }) => namespace },
  { title: 'keys', isRight: true, text: ({ keys }) => countOf(keys) },
]

export async function runNamespaces(session: Session): Promise<number> {
  const progress = { lookedAt: 0, isComplete: false }
  const counts = new Map<string, number>()
  const scan = session.inspection.namespaces(scanOptions(session))
  for await (const { namespace, keys } of itemsOf(scan, progress)) {
    counts.set(namespace, (counts.get(namespace) ?? 0) + keys)
  }
  const rows = [...counts].map(([namespace, keys]) => ({ namespace, keys }))
  await session.out.list(COLUMNS, sorted(rows))
  await tellIncomplete(session, progress)
  if (rows.length === 0) session.out.talk('No key of Larder was found.')
  return EXIT.done
}

async function* sorted(rows: Row[]): AsyncGenerator<Row, void, undefined> {
  yield* rows.sort((a, b) => b.keys - a.keys)
}
