/** A named cache without decorators: the programmatic face of the read and write paths. */

import { tagName } from '../coherence/tag-clock.ts'
import { keyErrorAt } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { RecoveryQueueError } from '../errors/store-error.ts'
import { type Key, type KeyPart, keyText } from '../keys/key-text.ts'
import { scopePrefix } from '../keys/scope-prefix.ts'
import {
  assertFunction,
  assertInteger,
  assertIterable,
  assertKeys,
  assertKnownOptions,
  assertPair,
  assertTags,
  assertText,
} from '../options/assert-option.ts'
import type { Policy } from '../options/cache-options.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import {
  type EvictHow,
  type EvictOptions,
  resolveEvictOptions,
  type SoftOption,
} from '../options/evict-options.ts'
import { loadTogether } from './batch-load.ts'
import { assertReached, evictionOutcomeOf } from './eviction-outcome.ts'
import { knownNow } from './keep.ts'
import type { CacheNode } from './node.ts'
import { withPolicyTags } from './policy-tags.ts'
import type { PutPath, PutResult } from './put-path.ts'
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

export interface WarmOptions<Value> extends EntryOptions<Value> {
  /** Called after every chunk with what became of the entries so far. */
  readonly onProgress?: ((progress: WarmProgress) => void) | undefined
  /** After how many entries `onProgress` is called. 1 to 10 000. @default 200 */
  readonly chunk?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What became of the entries that `warm` was given so far. */
export interface WarmProgress {
  /** Kept where the policy says, or in this process where they are too large for the shared tier. */
  readonly written: number
  /** Not kept: negative results without `negativeTtl`, a `ttl` of 0, or others wrote the key at the same time. */
  readonly skipped: number
  /** Did not reach the store. */
  readonly failed: number
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
  readonly puts: PutPath
}

const DEFAULT_CHUNK = 200
const LARGEST_CHUNK = 10_000
/** So many writes of a `warm` are under way at once: more would only wait in a row for the store, and time out there. */
const MOST_AT_ONCE = 200
const WHERE_ENTRY = ['tags', 'ttl'] as const

/** A named group of entries with one policy. Made by `manager.cache(name, options)`. */
export class Cache<Value = unknown> {
  readonly name: string
  readonly #own: CacheParts
  readonly #follow: ((policy: Policy) => Policy) | undefined
  #current: CacheParts
  #site: ReadSite

  /** Use `manager.cache(name, options)`. `follow` says, at each use, what became of a policy that nobody named. */
  constructor(parts: CacheParts, follow?: (policy: Policy) => Policy) {
    this.name = parts.name
    this.#own = parts
    this.#follow = follow
    this.#current = parts
    this.#site = siteOf(parts)
  }

  get #parts(): CacheParts {
    const policy = this.#follow?.(this.#own.policy) ?? this.#own.policy
    if (!isSamePolicy(policy, this.#current.policy)) {
      this.#current = { ...this.#own, policy }
      this.#site = siteOf(this.#current)
    }
    return this.#current
  }

  /** Returns the full key under which a key is stored, in the scope that holds now. */
  key(key: Key): string {
    const prefix = this.#prefix
    try {
      return prefix + keyText(key)
    } catch (error) {
      throw keyErrorAt(error, this.#where)
    }
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
    return this.#find(this.#call(key, nothingToLoad, {}))
  }

  /** Returns the values that may be served now, in order, in one round trip. */
  async getMany(keys: readonly Key[]): Promise<(Value | undefined)[]> {
    assertKeys(keys, `${this.#where}.getMany.keys`)
    const calls = keys.map((key) => this.#call(key, nothingToLoad, {}))
    return Promise.all(calls.map((call) => this.#find(call)))
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
    assertKeys(keys, `${this.#where}.getManyOrLoad.keys`)
    assertFunction(load, `${this.#where}.getManyOrLoad.load`)
    // The caller may use its list again before the load begins.
    const asked = keys.map((key) => (Array.isArray(key) ? [...(key as readonly KeyPart[])] : key))
    const found = loadTogether(
      this.#parts.reads,
      asked.map((key) => this.#call(key, nothingToLoad, options)),
      (missing, context) =>
        load(
          missing.map((i) => asked[i] as Key),
          context,
        ),
    )
    return found as Promise<(Value | undefined)[]>
  }

  /**
   * Writes a value into both tiers; every other node forgets its old one. Of several at once the last writer wins.
   * While the store is away the key is evicted instead: the `put` event says `queued`.
   *
   * @throws RecoveryQueueError with `onRemoteFailure: 'throw'` when it did not reach the store; ValueError, KeyError
   */
  async set(key: Key, value: Value, options: EntryOptions<Value> = {}): Promise<void> {
    await this.#put(this.#call(key, nothingToLoad, options), value)
  }

  /**
   * Evicts a key everywhere; an array is one composite key. After it resolves, no read on this node returns what was cached
   * before.
   */
  async evict(key: Key, options?: EvictOptions): Promise<void> {
    const how = resolveEvictOptions(options, 'cache.evict', `${this.#where}.evict`)
    await this.#evict([key], how)
  }

  /** Evicts several keys, in one round trip. */
  async evictMany(keys: readonly Key[], options?: EvictOptions): Promise<void> {
    const where = `${this.#where}.evictMany`
    assertKeys(keys, `${where}.keys`)
    await this.#evict(keys, resolveEvictOptions(options, 'cache.evictMany', where))
  }

  /** Evicts every entry of the namespace that carries one of the tags, whatever cache it is in, in one step. */
  async evictTags(tags: readonly string[], options?: SoftOption): Promise<void> {
    const where = `${this.#where}.evictTags`
    const { soft } = resolveEvictOptions(options, 'cache.evictTags', where)
    assertTags(tags, `${where}.tags`)
    await this.#reported(this.#parts.writes.evictTags(tags, soft), 'tags')
  }

  /** Evicts every entry of this cache, in one step. */
  async clear(options?: SoftOption): Promise<void> {
    const { soft } = resolveEvictOptions(options, 'cache.clear', `${this.#where}.clear`)
    await this.#reported(this.#parts.writes.clear(this.name, soft), `the cache ${this.name}`)
  }

  /**
   * Evicts the keys that match a pattern (`*` any run, `?` one character), by scanning; yields progress a chunk.
   *
   * It finds what is stored while it runs; use tags where nothing may be missed.
   *
   * @throws RecoveryQueueError with `onRemoteFailure: 'throw'` at the first chunk that did not reach the store
   */
  evictPattern(
    pattern: string,
    options?: SoftOption,
  ): AsyncGenerator<PatternProgress, void, undefined> {
    const where = `${this.#where}.evictPattern`
    const { soft } = resolveEvictOptions(options, 'cache.evictPattern', where)
    assertText(pattern, `${where}.pattern`, 1_000)
    const { writes, policy } = this.#parts
    const place = { cache: this.name, prefix: this.#prefix, soft }
    return writes.evictPattern(place, pattern, (cause) => {
      if (policy.onRemoteFailure !== 'throw') return
      throw new RecoveryQueueError(`keys of ${this.name}`, cause)
    })
  }

  /**
   * Finds the entries that may be served now, in no order, each once, as they are while it runs; the key as a text, a long
   * one shortened. In the shared tier it needs a store that can scan.
   *
   * It remembers the keys it has seen, so it is for caches whose keys fit into memory.
   */
  async *entries(): AsyncGenerator<readonly [key: string, value: Value], void, undefined> {
    const prefix = this.#prefix
    const seen = new Set<string>()
    for await (const chunk of this.#parts.writes.keysOf(prefix)) {
      const fullKeys = chunk.filter((key) => key.startsWith(prefix) && !seen.has(key))
      for (const key of fullKeys) seen.add(key)
      const values = await Promise.all(fullKeys.map((key) => this.#parts.reads.find(this.#at(key))))
      for (const [i, fullKey] of fullKeys.entries()) {
        const value = values[i]
        if (value !== undefined) yield [fullKey.slice(prefix.length), value as Value]
      }
    }
  }

  /**
   * Writes many values; takes them as they come, some at a time. Returns how many were written.
   *
   * @throws RecoveryQueueError with `onRemoteFailure: 'throw'` when one did not reach the store
   */
  async warm(
    entries: AsyncIterable<readonly [Key, Value]> | Iterable<readonly [Key, Value]>,
    options: WarmOptions<Value> = {},
  ): Promise<number> {
    const where = `${this.#where}.warm`
    const { onProgress, signal, chunk, entryOptions } = resolveWarmOptions(options, where)
    assertIterable(entries, `${where}.entries`)
    const done = { written: 0, skipped: 0, failed: 0 }
    const count = { stored: 'written', local: 'written', 'not-kept': 'skipped', queued: 'failed' }
    let given = 0
    let writing: Promise<PutResult>[] = []
    const flush = async (): Promise<void> => {
      // All of a wave have ended before one of them fails the whole.
      await Promise.allSettled(writing)
      const results = await Promise.all(writing)
      writing = []
      for (const { outcome } of results) done[count[outcome] as keyof WarmProgress] += 1
    }
    try {
      for await (const entry of entries) {
        signal?.throwIfAborted()
        assertPair(entry, `${where}.entries`)
        const [key, value] = entry as readonly [Key, Value]
        writing.push(this.#put(this.#call(key, nothingToLoad, entryOptions), value))
        given += 1
        const isChunk = given % chunk === 0
        if (isChunk || writing.length >= MOST_AT_ONCE) await flush()
        if (isChunk) onProgress?.({ ...done })
      }
      await flush()
    } finally {
      await Promise.allSettled(writing)
    }
    if (given % chunk !== 0) onProgress?.({ ...done })
    return done.written
  }

  /** What full keys begin with, in the scope that holds now. */
  get #prefix(): string {
    return `${this.name}:${scopePrefix(this.#parts.policy.scope, this.#where)}`
  }

  get #where(): string {
    return `cache(${this.name})`
  }

  /** A look at an entry by its full key. */
  #at(fullKey: string): ReadCall {
    const rules = resolveEntryOptions({}, this.#parts)
    return new ReadCall(this.#site, this.#parts.node.addressOf(fullKey), nothingToLoad, rules)
  }

  #call(key: Key, source: Source, options: EntryOptions<Value>): ReadCall {
    // Before the site is looked at: asking for the parts brings it up to date.
    const { node, policy } = this.#parts
    const own = resolveEntryOptions(options as EntryOptions, this.#parts)
    const rules = withPolicyTags(own, policy, this.#where)
    return new ReadCall(this.#site, node.addressOf(this.key(key)), source, rules)
  }

  #find(call: ReadCall): Promise<Value | undefined> {
    return this.#parts.reads.find(call) as Promise<Value | undefined>
  }

  async #put(call: ReadCall, value: Value): Promise<PutResult> {
    const result = await this.#parts.puts.put({ call, value })
    assertReached(result, this.#parts.policy.onRemoteFailure, `a key of ${this.name}`)
    return result
  }

  async #evict(keys: readonly Key[], how: EvictHow): Promise<void> {
    const fullKeys = keys.map((key) => this.key(key))
    const eviction = this.#parts.writes.evict(this.name, fullKeys, how)
    await this.#reported(eviction, `keys of ${this.name}`)
  }

  #reported(eviction: Promise<void>, what: string): Promise<void> {
    const { node, policy } = this.#parts
    return evictionOutcomeOf(node, [eviction], policy.onRemoteFailure, what)
  }
}

function siteOf({ name, cacheTag, policy, node }: CacheParts): ReadSite {
  return new ReadSite(name, cacheTag, policy, node.stats.of(name))
}

/** Compares what can change under a cache that follows others. */
function isSamePolicy(one: Policy, other: Policy): boolean {
  if (one === other) return true
  const names = Object.keys(one) as (keyof Policy)[]
  return names.every((name) => one[name] === other[name])
}

/** Returns tags and ttl in the read path's terms. */
function resolveEntryOptions(options: EntryOptions, parts: CacheParts): ReadRules {
  const where = `cache(${parts.name})`
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
    ttlOf: ttl === undefined ? undefined : ttlFunction(ttl, `${where}.ttl`, parts),
  }
}

function resolveWarmOptions<Value>(
  options: WarmOptions<Value>,
  where: string,
): Pick<WarmOptions<Value>, 'onProgress' | 'signal'> & {
  readonly chunk: number
  readonly entryOptions: EntryOptions<Value>
} {
  assertKnownOptions(options, [...WHERE_ENTRY, 'onProgress', 'chunk', 'signal'], where)
  const { onProgress, signal, chunk = DEFAULT_CHUNK, ...entryOptions } = options
  assertInteger(chunk, `${where}.chunk`, { min: 1, max: LARGEST_CHUNK })
  if (onProgress !== undefined) assertFunction(onProgress, `${where}.onProgress`)
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    const expected = 'an AbortSignal'
    throw new InvalidOptionError({ option: `${where}.signal`, expected, received: signal })
  }
  return { onProgress, signal, chunk, entryOptions }
}

/** Checks tags and returns their table names. */
export function tagNames(tags: unknown, option: string): readonly string[] {
  assertTags(tags, option)
  return tags.length === 0 ? NO_TAGS : tags.map(tagName)
}

const NO_TAGS: readonly string[] = Object.freeze([])

function ttlFunction(
  ttl: Duration | ((value: unknown) => Duration | undefined),
  option: string,
  { node, name }: CacheParts,
): (value: unknown) => number | undefined {
  if (typeof ttl !== 'function') {
    const ttlMs = parseDuration(ttl, option)
    node.secondsMeant?.look(name, ttl, option)
    return () => ttlMs
  }
  return (value) => {
    const found = knownNow(ttl(value))
    node.secondsMeant?.look(name, found, option)
    return found === undefined ? undefined : parseDuration(found, option)
  }
}

const nothingToLoad: Source = { load: () => Promise.resolve(undefined) }
