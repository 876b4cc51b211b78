/** Scans of limited length: a command says when its scan ended early, so that a part is never taken for the whole. */

import type { Looked, ScanOptions } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { CommandFailure } from '../failure.ts'
import { countOf } from '../output/units.ts'

/** Enough for most servers; it takes a second or two. */
const USUAL_SCAN = 200_000

/** How far a command scans: what --scan says, or `usual`. */
export function scanOptions({ options, signal }: Session, usual = USUAL_SCAN): ScanOptions {
  const said = options.count('scan')
  const most = said === undefined ? usual : said
  return most === 0 ? { signal } : { most, signal }
}

export interface Progress {
  lookedAt: number
  isComplete: boolean
}

/** The items of a scan one by one; how far it came is noted in `progress`. */
export async function* itemsOf<Item>(
  scan: AsyncIterable<Looked<Item>>,
  progress: Progress,
): AsyncGenerator<Item, void, undefined> {
  for await (const { items, lookedAt, isComplete } of scan) {
    progress.lookedAt = lookedAt
    progress.isComplete = isComplete
    yield* items
  }
}

/** Says on stderr that a scan did not see everything. */
export async function tellIncomplete(session: Session, progress: Progress): Promise<void> {
  if (progress.isComplete) return
  const all = await session.inspection.keyCount()
  const far = countOf(Math.min(progress.lookedAt, all ?? progress.lookedAt))
  const of = all === undefined ? '' : ` of about ${countOf(all)}`
  session.out.talk(`Note: ${far}${of} keys were looked at; --scan 0 looks at all.`)
}

/** The first so many, and no more. */
export async function* firstOf<Item>(
  items: AsyncIterable<Item>,
  limit: number | undefined,
): AsyncGenerator<Item, void, undefined> {
  if (limit === 0) return
  let count = 0
  for await (const item of items) {
    yield item
    count += 1
    if (count === limit) return
  }
}

/** @throws CommandFailure when no node has ever used the namespace in this Redis */
export async function assertKnown({ inspection, namespace }: Session): Promise<void> {
  const { isKnown } = await inspection.namespace(namespace)
  if (isKnown) return
  throw new CommandFailure(
    'notFound',
    `No node has used the namespace ${namespace} in this Redis.`,
    'larder namespaces lists those that are there.',
  )
}
