/**
 * A cache of Larder as the storage of a Keyv, and of what sits on one, such as cache-manager.
 *
 * Keyv 5 hands over keys with its namespace in front and sets `namespace` on the storage; Keyv 6 handles namespaces itself
 * where a storage has none. So entries are tagged with the namespace if there is one, and clearing it is one step however
 * many there are. An entry holds its key beside its value, because the cache keeps long keys in a short form.
 */

import { type Cache, InvalidOptionError } from '@larder/core'

/** What is kept under a key. */
interface Kept {
  readonly key: string
  readonly value: unknown
}

interface KeptEntry {
  readonly key: string
  readonly value: unknown
  /** Milliseconds. */
  readonly ttl?: number | undefined
}

/** A storage adapter for Keyv 4 to 6. */
export interface KeyvStorage {
  /** Set by Keyv. */
  namespace?: string | undefined
  readonly opts: object
  // biome-ignore lint/suspicious/noExplicitAny: Keyv lets its caller say what a value is, and nobody checks.
  get(key: string): Promise<any>
  // biome-ignore lint/suspicious/noExplicitAny: the same.
  getMany(keys: readonly string[]): Promise<any[]>
  /** `ttlMs`: without one, or at 0, the value lives as long as the cache says. */
  set(key: string, value: unknown, ttlMs?: number): Promise<boolean>
  setMany(entries: readonly KeptEntry[]): Promise<boolean[]>
  has(key: string): Promise<boolean>
  hasMany(keys: readonly string[]): Promise<boolean[]>
  /** Returns whether there was an entry. */
  delete(key: string): Promise<boolean>
  /** Returns whether there was an entry under every key. */
  deleteMany(keys: readonly string[]): Promise<boolean>
  /** Evicts what was set in the storage's namespace; without one, the whole cache. */
  clear(): Promise<void>
  /** In a shared tier it needs a store that can scan. */
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  iterator(namespace?: string): AsyncGenerator<[string, any], void, undefined>
  /** Does nothing: the owner of the cache manager closes it. */
  disconnect(): Promise<void>
  /** There are no events: trouble with a store is reported by the cache manager. */
  on(event: string, listener: (...args: never[]) => void): this
}

/** The longest life of an entry, ms. */
const MAX_TTL_MS = 3_650 * 86_400_000

/**
 * Makes a storage adapter of a cache, to be given to a Keyv.
 *
 * Give it a cache that nothing else uses. Keyv's `ttl` counts, shortened by the cache's `jitter`; a value set without one
 * lives as long as the cache says.
 *
 * @throws InvalidOptionError when it is not a cache.
 * @example const keyv = new Keyv({ store: keyvStorage(caches.cache('keyv', { ttl: '30d', jitter: 0 })) })
 */
export function keyvStorage(cache: Cache): KeyvStorage {
  const methods = ['getMany', 'set', 'evict', 'evictTags', 'entries', 'clear'] as const
  const given = (cache ?? {}) as unknown as Record<string, unknown>
  if (methods.some((method) => typeof given[method] !== 'function')) {
    const expected = 'a cache, as caches.cache(name) returns it'
    throw new InvalidOptionError({ option: 'keyvStorage.cache', expected, received: cache })
  }
  return new CacheStorage(cache as Cache<Kept>)
}

class CacheStorage implements KeyvStorage {
  // Declared only: Keyv 6 leaves namespaces to a storage that has the property, and asks it for keys without them.
  declare namespace?: string | undefined
  /** Keyv 5 iterates over storages of dialects it knows, and over no others. */
  readonly opts = { dialect: 'redis', url: '' }
  readonly #cache: Cache<Kept>

  constructor(cache: Cache<Kept>) {
    this.#cache = cache
  }

  async get(key: string): Promise<unknown> {
    const [value] = await this.getMany([key])
    return value
  }

  async getMany(keys: readonly string[]): Promise<unknown[]> {
    const found = await this.#cache.getMany(keys)
    return found.map((kept) => kept?.value)
  }

  async set(key: string, value: unknown, ttlMs?: number): Promise<boolean> {
    const { namespace } = this
    await this.#cache.set(
      key,
      { key, value },
      {
        ...(ttlMs === undefined || ttlMs <= 0
          ? {}
          : { ttl: Math.min(Math.ceil(ttlMs), MAX_TTL_MS) }),
        ...(namespace === undefined ? {} : { tags: [this.#tagOf(namespace)] }),
      },
    )
    return true
  }

  async setMany(entries: readonly KeptEntry[]): Promise<boolean[]> {
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)))
  }

  async has(key: string): Promise<boolean> {
    return (await this.get(key)) !== undefined
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    const found = await this.getMany(keys)
    return found.map((value) => value !== undefined)
  }

  async delete(key: string): Promise<boolean> {
    return this.deleteMany([key])
  }

  async deleteMany(keys: readonly string[]): Promise<boolean> {
    const were = await this.hasMany(keys)
    await Promise.all(keys.map((key) => this.#cache.evict(key)))
    return were.every(Boolean)
  }

  async clear(): Promise<void> {
    if (this.namespace === undefined) await this.#cache.clear()
    else await this.#cache.evictTags([this.#tagOf(this.namespace)])
  }

  async *iterator(namespace = ''): AsyncGenerator<[string, unknown], void, undefined> {
    for await (const [, { key, value }] of this.#cache.entries()) {
      if (key.startsWith(namespace)) yield [key, value]
    }
  }

  async disconnect(): Promise<void> {}

  on(): this {
    return this
  }

  /** Tags are the whole application's, so the cache's name is in it. */
  #tagOf(namespace: string): string {
    return `keyv:${this.#cache.name}:${namespace}`
  }
}
