import { cacheTag, EVERYTHING } from '@larder/core/store'
import type { Session } from '../connect/session.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { counted } from '../output/units.ts'
import { confirmed } from './confirm.ts'
import { evictNames, reportEvicted } from './evict-tags.ts'
import { assertKnown, scanOptions } from './looked.ts'

const CACHE = /^[A-Za-z0-9_.-]{1,64}$/

export async function runClear(session: Session): Promise<number> {
  const { words, namespace } = session
  const [cache] = words
  if (cache !== undefined && !CACHE.test(cache)) {
    const fix =
      'It is 1 to 64 letters, digits, "_", "." or "-"; to evict single keys there is larder evict.'
    throw new CommandFailure('usage', `'${cache}' is not the name of a cache.`, fix)
  }
  await assertKnown(session)
  const count = await countEntries(session, cache === undefined ? '' : `${cache}:`)
  const of =
    cache === undefined ? `the namespace ${namespace}` : `the cache ${cache} of ${namespace}`
  const question = { what: `evict everything of ${of}: ${count}`, typed: cache ?? namespace }
  if (!(await confirmed(session, question))) return EXIT.done
  await evictNames(session, [cache === undefined ? EVERYTHING : cacheTag(cache)])
  await reportEvicted(session, { cleared: cache ?? '*' }, `Evicted everything of ${of}.`)
  return EXIT.done
}

async function countEntries(session: Session, prefix: string): Promise<string> {
  let count = 0
  let isAll = false
  const scan = session.inspection.entries(session.namespace, prefix, scanOptions(session))
  for await (const { items, isComplete } of scan) {
    count += items.length
    isAll = isComplete
  }
  const words = counted(count, 'entry', 'entries')
  return isAll ? words : `at least ${words}`
}
