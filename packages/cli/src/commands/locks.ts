import type { LockRow } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { spanText } from '../output/units.ts'
import { firstOf, itemsOf, scanOptions, tellIncomplete } from './looked.ts'

const COLUMNS: readonly Column<LockRow>[] = [
  { title: 'lock', text: ({ name }) => name },
  { title: 'mode', text: ({ mode }) => mode ?? 'free' },
  { title: 'left', isRight: true, text: ({ holders }) => spanText(leftOf(holders)) },
  { title: 'waiting', isRight: true, text: ({ waiting }) => String(waiting) },
  { title: 'fence', isRight: true, text: ({ fence }) => String(fence) },
  { title: 'holders', text: ({ holders }) => holders.map(({ owner }) => owner).join(' ') },
]

export async function runLocks(session: Session): Promise<number> {
  const { namespace, words, options, out } = session
  const inspection = await session.inspectionOf('locks')
  const [name] = words
  if (name !== undefined) {
    const lock = await inspection.lock(namespace, name)
    if (lock === undefined)
      throw new CommandFailure('notFound', `Nothing is known of the lock ${name}.`)
    await out.list(COLUMNS, only(lock))
    return EXIT.done
  }
  const progress = { lookedAt: 0, isComplete: false }
  const found = itemsOf(inspection.locks(namespace, scanOptions(session)), progress)
  const shown = options.has('all') ? found : held(found)
  const limit = options.count('limit')
  await out.list(COLUMNS, firstOf(shown, limit))
  if (limit === undefined) await tellIncomplete(session, progress)
  return EXIT.done
}

/** Until the last of them ends. */
function leftOf(holders: LockRow['holders']): number | undefined {
  return holders.length === 0 ? undefined : Math.max(...holders.map(({ leftMs }) => leftMs))
}

async function* held(locks: AsyncIterable<LockRow>): AsyncGenerator<LockRow, void, undefined> {
  for await (const lock of locks) {
    if (lock.holders.length > 0 || lock.waiting > 0) yield lock
  }
}

async function* only<Item>(item: Item): AsyncGenerator<Item, void, undefined> {
  yield item
}
