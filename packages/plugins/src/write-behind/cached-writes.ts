/** The cache of what is written: it has what is queued, so that reads see it. */

import type { Cache, CacheManager, Key } from '@larder/core'
import { INTERNALS, keyText, type WriteKind } from '@larder/core/store'

export class CachedWrites {
  readonly #caches: CacheManager
  readonly #cache: Cache<unknown> | undefined

  constructor(caches: CacheManager, name: string | undefined) {
    this.#caches = caches
    this.#cache = name === undefined ? undefined : caches.cache(name)
  }

  /** The key of a write: as in the cache, with its scope. @throws KeyError */
  keyOf(key: Key): string {
    const cache = this.#cache
    return cache === undefined ? keyText(key) : cache.key(key).slice(cache.name.length + 1)
  }

  /** After it was queued: a load that began before keeps nothing. @throws as `cache.set` and `cache.evict` */
  async queued(key: Key, kind: WriteKind, value: unknown): Promise<void> {
    if (kind === 'value') await this.#cache?.set(key, value)
    else await this.#cache?.evict(key)
  }

  /** What is cached under the key of a write will never be written. */
  async buried(written: string): Promise<void> {
    const name = this.#cache?.name
    if (name !== undefined) await this.#caches[INTERNALS].evictKeys(name, [`${name}:${written}`])
  }
}
