/** The cache of what is written: it has what is queued, so that reads see it. */

import { type Cache, type CacheManager, type Key, KeyError } from '@larder/core'
import {
  beginQueuedPut,
  INTERNALS,
  isShortForm,
  keyText,
  type PutFence,
  putQueued,
} from '@larder/core/store'
import type { SealedWrite } from './sealed-writes.ts'

/** A write by the key that its caller gave. */
export interface CachedWrite extends SealedWrite {
  readonly key: Key
}

export class CachedWrites {
  readonly #caches: CacheManager
  readonly #cache: Cache<unknown> | undefined

  constructor(caches: CacheManager, name: string | undefined) {
    this.#caches = caches
    this.#cache = name === undefined ? undefined : caches.cache(name)
  }

  /** The key of a write: as in the cache, with its scope. @throws KeyError, also for one that a writer could not read */
  keyOf(key: Key): string {
    const cache = this.#cache
    const text = cache === undefined ? keyText(key) : cache.key(key).slice(cache.name.length + 1)
    // A digest is good enough to find an entry, and not to find a row.
    if (isShortForm(text)) {
      throw new KeyError(
        `The key of a write would be shortened to ${text}, which the writer could not turn back into a key: a queue takes up to 200 UTF-16 units with the scope, without lone surrogates, that do not look like a short form.`,
      )
    }
    return text
  }

  /**
   * Queues some writes, and has them cached then: a load that began before keeps nothing, and of several processes that queue and
   * cache at the same time, none leaves an older value behind.
   *
   * @throws what `queue` throws, and what `cache.set` and `cache.evict` throw
   */
  async around(writes: readonly CachedWrite[], queue: () => Promise<void>): Promise<void> {
    const cache = this.#cache
    if (cache === undefined) return queue()
    // Of several writes of one key, the last one.
    const last = [...new Map(writes.map((write) => [write.text, write])).values()]
    const begun = await Promise.all(
      last.map(({ kind }) => (kind === 'value' ? beginQueuedPut(cache) : undefined)),
    )
    try {
      await queue()
      await Promise.all(last.map((write, i) => this.#queued(cache, write, begun[i])))
    } finally {
      for (const each of begun) each?.end()
    }
  }

  /** What is cached under the key of a write will never be written. */
  async buried(written: string): Promise<void> {
    const name = this.#cache?.name
    if (name !== undefined) await this.#caches[INTERNALS].evictKeys(name, [`${name}:${written}`])
  }

  async #queued(
    cache: Cache<unknown>,
    { key, opened }: CachedWrite,
    begun: PutFence | undefined,
  ): Promise<void> {
    if (begun === undefined) return cache.evict(key)
    await putQueued(cache, { key, value: await opened(), begun })
  }
}
