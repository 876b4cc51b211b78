/** What the answer to an unsafe method ends (RFC 9111, 4.4; RFC 9875), before its client has it: so that its next request sees that. */

import type { CacheManager } from '@larder/core'
import type { Exchange, ResponseHead } from './exchange.ts'
import { fieldValue } from './fields.ts'
import { endedGroups } from './stored-response.ts'
import { readTarget, uriTag } from './uri.ts'

const FIRST_SUCCESS = 200
const FIRST_ERROR = 400

/** Evicts what an answer ends, unless it is an error. Never rejects: an eviction that does not reach the store waits for it. */
export async function afterUnsafe(
  caches: CacheManager,
  answered: {
    readonly head: ResponseHead
    readonly exchange: Exchange
    readonly path: string | undefined
  },
): Promise<void> {
  const { head, path } = answered
  if (head.status < FIRST_SUCCESS || head.status >= FIRST_ERROR) return
  const own = path === undefined ? [] : [uriTag(path)]
  const tags = [...own, ...namedTags(answered), ...endedGroups(head.fields)]
  if (tags.length === 0) return
  // With `onRemoteFailure: 'throw'` it rejects; the response is the application's, whatever happens to the cache.
  await caches.evictTags([...new Set(tags)]).catch(() => undefined)
}

/** Targets of the same origin in `Location` and `Content-Location`. What is kept for other origins is not kept here. */
function namedTags({
  head,
  exchange,
  path = '/',
}: {
  readonly head: ResponseHead
  readonly exchange: Exchange
  readonly path: string | undefined
}): readonly string[] {
  const host = exchange.field('host')
  const tags: string[] = []
  for (const name of ['location', 'content-location']) {
    const target = fieldValue(head.fields, name)
    if (target === undefined) continue
    const base = `http://${host ?? 'localhost'}${path}`
    if (!URL.canParse(target, base)) continue
    const url = new URL(target, base)
    if (url.host !== new URL(base).host) continue
    const found = readTarget(url.pathname)
    if (found !== undefined) tags.push(uriTag(found.path))
  }
  return tags
}
