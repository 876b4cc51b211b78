/**
 * A unit of work: the evictions that are asked for in it are collected, and done when it is over.
 *
 * Until then other callers still get the cached values, because for them nothing has changed yet. The evictions then remove
 * everything that was loaded from the earlier state, whether it is cached or still being loaded.
 */

import type { EvictRequest } from '../contracts/remote-store.ts'

/** Keys of one cache that are evicted in the same way. */
export interface KeyGroup {
  readonly cache: string
  readonly keys: readonly string[]
  readonly request: EvictRequest
}

/** Tags that are evicted in the same way. */
export interface TagGroup {
  readonly tags: readonly string[]
  readonly soft: boolean
}

/** What a unit has collected. */
export interface Collected {
  readonly keyGroups: readonly KeyGroup[]
  readonly tagGroups: readonly TagGroup[]
  /** Whole caches. Without a name: everything. */
  readonly caches: readonly { readonly name: string | undefined; readonly soft: boolean }[]
  /** A caller of one of them wants an error when it did not reach the store. */
  readonly insists: boolean
}

export class EvictionUnit {
  /** By full key. When a key is evicted twice, softly and not, the hard eviction counts. */
  readonly #keys = new Map<string, { readonly cache: string; readonly request: EvictRequest }>()
  /** By tag and by cache, whether softly. */
  readonly #tags = new Map<string, boolean>()
  readonly #caches = new Map<string | undefined, boolean>()
  #insists = false

  keys(cache: string, fullKeys: readonly string[], request: EvictRequest): void {
    for (const key of fullKeys) {
      const known = this.#keys.get(key)?.request
      const soft = request.soft && known?.soft !== false
      const settleMs = Math.max(request.settleMs, known?.settleMs ?? 0)
      this.#keys.set(key, { cache, request: { soft, settleMs } })
    }
  }

  tags(tags: readonly string[], soft: boolean): void {
    for (const tag of tags) this.#tags.set(tag, soft && this.#tags.get(tag) !== false)
  }

  cache(name: string | undefined, soft: boolean): void {
    this.#caches.set(name, soft && this.#caches.get(name) !== false)
  }

  insist(): void {
    this.#insists = true
  }

  /** True when the cached value of a key is, or may be, old for the unit itself. The tags of an entry are not known here. */
  covers(cache: string, fullKey: string): boolean {
    if (this.#tags.size > 0 || this.#caches.has(undefined)) return true
    return this.#caches.has(cache) || this.#keys.has(fullKey)
  }

  /** Hands over what was collected, and begins anew. */
  take(): Collected {
    const groups = new Map<string, { cache: string; keys: string[]; request: EvictRequest }>()
    for (const [key, { cache, request }] of this.#keys) {
      const id = `${request.soft} ${request.settleMs} ${cache}`
      const group = groups.get(id) ?? { cache, keys: [], request }
      group.keys.push(key)
      groups.set(id, group)
    }
    const collected = {
      keyGroups: [...groups.values()],
      tagGroups: [false, true].map((soft) => ({
        tags: [...this.#tags.keys()].filter((tag) => this.#tags.get(tag) === soft),
        soft,
      })),
      caches: [...this.#caches].map(([name, soft]) => ({ name, soft })),
      insists: this.#insists,
    }
    this.#keys.clear()
    this.#tags.clear()
    this.#caches.clear()
    return collected
  }
}
