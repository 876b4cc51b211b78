/** Invalidates names of the tag clock: tags, a cache, the namespace. */

import { softTag } from '@larder/core/store'
import type { Session } from '../connect/session.ts'
import { heardBy } from './evict.ts'

/** For how long a tag is remembered if no node has said it yet. A tag that is forgotten too early costs loads. */
const USUAL_RETENTION_MS = 86_400_000

export async function evictNames(session: Session, names: readonly string[]): Promise<void> {
  const { inspection, namespace, options } = session
  const { tags } = await inspection.namespace(namespace)
  const isSaid = tags !== undefined && tags.retentionMs > 0
  const bumped = options.has('soft') ? names.map(softTag) : names
  // The store uses the longest time that any node has asked for.
  await inspection
    .store(namespace)
    .bumpTags(bumped, 0, isSaid ? tags.retentionMs : USUAL_RETENTION_MS)
}

/** Prints what was done, as one object or one line. */
export async function reportEvicted(
  { inspection, namespace, out }: Session,
  data: object,
  words: string,
): Promise<void> {
  const { listening } = await inspection.fleet(namespace)
  await out.one({ namespace, ...data, listening: listening ?? null }, () => [
    `${words} ${heardBy(listening)}`,
  ])
}
