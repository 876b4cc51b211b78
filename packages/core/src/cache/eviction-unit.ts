/**
 * A unit of work: the evictions that are asked for in it are collected, and done when it is over.
 *
 * Until then others go on with what is cached, because for them nothing has changed yet. When the evictions run, they end
 * whatever was loaded from the state before, cached or still under way.
 */

import type { EvictRequest } from '../contracts/remote-store.ts'

/** Keys of one cache that are evicted in the same way. */
export interface KeyGroup {
  readonly cache: string
  readonly keys: readonly string[]
  readonly request: EvictRequest
}

/** What a unit has collected. */
export interface Collected {
  readonly keyGroups: readonly KeyGroup[]
  readonly allTags: readonly string[]
  /** Names of caches; `undefined` for everything. */
  readonly caches: readonly (string | undefined)[]
  /** Whoever asked for one of them wants to hear when it did not reach the store. */
  readonly insists: boolean
}

export class EvictionUnit {
  /** By full key. Asked for twice, the harder way counts. */
  readonly #keys = new Map<string, { readonly cache: string; readonly request: EvictRequest }>()
  readonly #tags = new Set<string>()
  readonly #caches = new Set<string | undefined>()
  #insists = false

  keys(cache: string, fullKeys: readonly string[], request: EvictRequest): void {
    for (const key of fullKeys) {
      const known = this.#keys.get(key)?.request
      const soft = request.soft && known?.soft !== false
      const settleMs = Math.max(request.settleMs, known?.settleMs ?? 0)
      this.#keys.set(key, { cache, request: { soft, settleMs } })
    }
  }

  tags(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.add(tag)
  }

  cache(name: string | undefined): void {
    this.#caches.add(name)
  }

  insist(): void {
    this.#insists = true
  }

  /** True when what is cached under a key is, or may be, old for the unit itself. Which tags an entry has is not known here. */
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
      allTags: [...this.#tags],
      caches: [...this.#caches],
      insists: this.#insists,
    }
    this.#keys.clear()
    this.#tags.clear()
    this.#caches.clear()
    return collected
  }
}
