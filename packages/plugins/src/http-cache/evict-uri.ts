/** Evicting responses by what they are the responses to. */

import { type CacheManager, InvalidOptionError, type SoftOption } from '@larder/core'
import { assertManager } from './resolve-http-cache.ts'
import { readTarget, uriTag } from './uri.ts'

/**
 * Evicts all responses to requests of a path, on all nodes: with every query, of all variants, in all caches of the manager. After it has
 * resolved, no request to this node is answered with one of them.
 *
 * @param paths - A path as in requests, such as `/products/42`, or several. A query is left out of account.
 * @throws InvalidOptionError; RecoveryQueueError with `onRemoteFailure: 'throw'`
 */
export async function evictUri(
  caches: CacheManager,
  paths: string | readonly string[],
  options?: SoftOption,
): Promise<void> {
  assertManager(caches, 'httpCache.evict.caches')
  const list: readonly unknown[] = Array.isArray(paths) ? paths : [paths]
  const tags = list.map((path) => {
    const target = typeof path === 'string' ? readTarget(path) : undefined
    if (target !== undefined) return uriTag(target.path)
    const expected = 'a path that begins with a slash, or an array of them'
    throw new InvalidOptionError({ option: 'httpCache.evict.path', expected, received: path })
  })
  if (tags.length > 0) await caches.evictTags([...new Set(tags)], options)
}
