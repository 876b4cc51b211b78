/** A named cache without decorators: the programmatic face of the read and write paths. */

import { tagName } from '../coherence/tag-clock.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import { assertFunction, assertKnownOptions, assertText } from '../options/assert-option.ts'
import type { Policy } from '../options/cache-options.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { loadTogether } from './batch-load.ts'
import { evictionOutcome } from './eviction-outcome.ts'
import { knownNow } from './keep.ts'
import type { CacheNode } from './node.ts'
import { ReadCall, type ReadRules, ReadSite, type Source } from './read-call.ts'
import type { ReadPath } from './read-path.ts'
import type { PatternProgress, WritePath } from './write-path.ts'

/** Options of one entry. */
export interface EntryOptions<Value = unknown> {
  /** Tags of the entry; a function computes them from the value. */
  readonly tags?: readonly string[] | ((value: Value) => readonly string[]) | undefined
  /** Fresh-for, instead of the cache's. 0 keeps the value out of the cache. */
  readonly ttl?: Duration | ((value: Value) => Duration | undefined) | undefined
}

/** What a loader of `getOrLoad` is given. */
export interface LoaderContext<Value> {
  readonly signal: AbortSignal
  readonly previous: Value | undefined
}

export interface EvictOptions {
  /** Keep the value for when loads fail (`staleIfError`) instead of removing it. @default false */
  readonly soft?: boolean | undefined
  /** Values loaded within this window are handed out but kept no longer than it. @default 0 */
  readonly settle?: Duration | undefined
}

export interface WarmOptions<Value> extends EntryOptions<Value> {
  /** Called after every chunk with the number of entries written so far. */
  readonly onProgress?: ((progress: { readonly written: number }) => void) | undefined
  /** Entries written at a time. 1 to 10 000. @default 200 */
  readonly chunk?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a cache is made of; shared by the decorators. */
export interface CacheParts {
  readonly name: string
  /** The tag every entry of the cache carries. */
  readonly cacheTag: string
  readonly policy: Policy
  readonly node: CacheNode
  readonly reads: ReadPath
  readonly writes: WritePath
}

const DEFAULT_CHUNK = 200
const WHERE_ENTRY = ['tags', 'ttl'] as const

/** A named group of entries with one policy. Made by `manager.cache(name, options)`. */
export class Cache<Value = unknown> {
  readonly name: string
  readonly #parts: CacheParts
  readonly #site: ReadSite

  constructor(parts: CacheParts) {
    const { name, cacheTag, policy, node } = parts
    this.name = name
    this.#parts = parts
    this.#site = new ReadSite(name, cacheTag, policy, node.stats.of(name))
  }

  /** Returns the full key under which a key is stored. */
  key(key: Key): string {
    return `${this.name}:${keyText(key)}`
  }

  /**
   * Returns the cached value, or loads it: once for all callers of this process and, through the lease, of all nodes.
   *
   * Rejects with what the loader rejects with, `LoadTimeoutError`, or our own misuse errors; never because of the store.
   */
  async getOrLoad(
    key: Key,
    load: (context: LoaderContext<Value>) => Promise<Value> | Value,
    options: EntryOptions<Value> = {},
  ): Promise<Value> {
    assertFunction(load, `${this.#where}.getOrLoad.load`)
    const source: Source = { load: async (context) => load(context as LoaderContext<Value>) }
    const call = this.#call(key, source, options)
    return this.#parts.reads.read(call) as Promise<Value>
  }

  /** Returns a value that may be served now, or `undefined`; never loads. A cached `null` is `null`. */
  async get(key: Key): Promise<Value | undefined> {
    const [value] = await this.getMany([key])
    return value
  }

  /** Returns the values that may be served now, in order, in one round trip. */
  async getMany(keys: readonly Key[]): Promise<(Value | undefined)[]> {
    const calls = keys.map((key) => this.#call(key, nothingToLoad, {}))
    return Promise.all(
      calls.map((call) => this.#parts.reads.find(call) as Promise<Value | undefined>),
    )
  }

  /** Loads what is missing of many keys by one call of `load`, which returns a value for each missing key, in order. */
  async getManyOrLoad(
    keys: readonly Key[],
    load: (
      missing: readonly Key[],
      context: { readonly signal: AbortSignal },
    ) => Promise<readonly (Value | undefined)[]>,
    options: EntryOptions<Value> = {},
  ): Promise<(Value | undefined)[]> {
    const found = loadTogether(
      this.#parts.reads,
      keys.map((key) => this.#call(key, nothingToLoad, options)),
      (missing, context) =>
        load(
          missing.map((i) => keys[i] as Key),
          context,
        ),
    )
    return found as Promise<(Value | undefined)[]>
  }

  /** Writes a value into both tiers; every other node forgets its old one. */
  async set(key: Key, value: Value, options: EntryOptions<Value> = {}): Promise<void> {
    const call = this.#call(key, nothingToLoad, options)
    await this.#parts.writes.put(call, value, undefined)
  }

  /** Evicts a key, or several, everywhere. After it resolves, no read on this node returns what was cached before. */
  async evict(keys: Key | readonly Key[], options: EvictOptions = {}): Promise<void> {
    const { soft, settleMs } = resolveEvictOptions(options, this.#where)
    const list = (Array.isArray(keys) ? keys : [keys]) as readonly Key[]
    await this.#reported(
      this.#parts.writes.evict(
        this.name,
        list.map((key) => this.key(key)),
        { soft, settleMs },
      ),
      `keys of ${this.name}`,
    )
  }

  /** Evicts every entry of the namespace that carries one of the tags, whatever cache it is in, in one step. */
  async evictTags(tags: readonly string[]): Promise<void> {
    for (const tag of tags) assertText(tag, `${this.#where}.evictTags.tags`)
    await this.#reported(this.#parts.writes.evictTags(tags), 'tags')
  }

  /** Evicts every entry of this cache, in one step. */
  async clear(): Promise<void> {
    await this.#reported(this.#parts.writes.clear(this.name), `the cache ${this.name}`)
  }

  /**
   * Evicts the keys that match a pattern (`*` any run, `?` one character), by scanning; yields progress a chunk.
   *
   * It finds what is stored while it runs; use tags where nothing may be missed.
   */
  evictPattern(pattern: string): AsyncGenerator<PatternProgress, void, undefined> {
    assertText(pattern, `${this.#where}.evictPattern.pattern`, 1_000)
    return this.#parts.writes.evictPattern(this.name, pattern)
  }

  /** Writes many values; takes them as they come, a chunk at a time. Returns how many were written. */
  async warm(
    entries: AsyncIterable<readonly [Key, Value]> | Iterable<readonly [Key, Value]>,
    options: WarmOptions<Value> = {},
  ): Promise<number> {
    assertKnownOptions(
      options,
      [...WHERE_ENTRY, 'onProgress', 'chunk', 'signal'],
      `${this.#where}.warm`,
    )
    const { onProgress, signal, chunk = DEFAULT_CHUNK, ...entryOptions } = options
    let written = 0
    let writing: Promise<void>[] = []
    const flush = async (): Promise<void> => {
      await Promise.all(writing)
      written += writing.length
      writing = []
      onProgress?.({ written })
    }
    for await (const [key, value] of entries) {
      signal?.throwIfAborted()
      writing.push(this.set(key, value, entryOptions))
      if (writing.length >= chunk) await flush()
    }
    if (writing.length > 0) await flush()
    return written
  }

  get #where(): string {
    return `cache(${this.name})`
  }

  #call(key: Key, source: Source, options: EntryOptions<Value>): ReadCall {
    const rules = resolveEntryOptions(options as EntryOptions, this.#where)
    return new ReadCall(this.#site, this.#parts.node.addressOf(this.key(key)), source, rules)
  }

  #reported(eviction: Promise<void>, what: string): Promise<void> {
    return evictionOutcome(eviction, this.#parts.policy.onRemoteFailure, what)
  }
}

/** Returns tags and ttl in the read path's terms. */
function resolveEntryOptions(options: EntryOptions, where: string): ReadRules {
  assertKnownOptions(options, WHERE_ENTRY, where)
  const { tags, ttl } = options
  return {
    mode: 'normal',
    tags:
      typeof tags === 'function' || tags === undefined ? NO_TAGS : tagNames(tags, `${where}.tags`),
    tagsOf:
      typeof tags === 'function'
        ? (value) => tagNames(knownNow(tags(value)), `${where}.tags`)
        : undefined,
    ttlOf: ttl === undefined ? undefined : ttlFunction(ttl, `${where}.ttl`),
  }
}

export function resolveEvictOptions(
  options: EvictOptions,
  where: string,
): { readonly soft: boolean; readonly settleMs: number } {
  assertKnownOptions(options, ['soft', 'settle'], `${where}.evict`)
  const { soft = false, settle = 0 } = options
  return { soft, settleMs: parseDuration(settle, `${where}.evict.settle`) }
}

/** Checks tags and returns their table names. */
export function tagNames(tags: unknown, option: string): readonly string[] {
  if (!Array.isArray(tags)) {
    throw new InvalidOptionError({ option, expected: 'an array of strings', received: tags })
  }
  if (tags.length === 0) return NO_TAGS
  return tags.map((tag: unknown) => {
    assertText(tag, option)
    return tagName(tag)
  })
}

const NO_TAGS: readonly string[] = Object.freeze([])

function ttlFunction(
  ttl: Duration | ((value: unknown) => Duration | undefined),
  option: string,
): (value: unknown) => number | undefined {
  if (typeof ttl !== 'function') {
    const ttlMs = parseDuration(ttl, option)
    return () => ttlMs
  }
  return (value) => {
    const found = knownNow(ttl(value))
    return found === undefined ? undefined : parseDuration(found, option)
  }
}

const nothingToLoad: Source = { load: () => Promise.resolve(undefined) }
