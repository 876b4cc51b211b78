/** A named cache without decorators: the programmatic face of the read and write paths. */

import { INTERNALS } from '../contracts/internals.ts'
import { RecoveryQueueError } from '../errors/store-error.ts'
import type { Key, KeyPart } from '../keys/key-text.ts'
import { assertFunction, assertKeys, assertTags, assertText } from '../options/assert-option.ts'
import type { Policy } from '../options/cache-options.ts'
import {
  type EvictOptions,
  type ResolvedEvictOptions,
  resolveEvictOptions,
  type SoftOption,
} from '../options/evict-options.ts'
import { loadTogether } from './batch-load.ts'
import { CacheCalls } from './cache-calls.ts'
import { everyEntry } from './cache-keys.ts'
import type { CacheParts } from './cache-parts.ts'
import { whileWanted } from './caller.ts'
import {
  type EntryOptions,
  type GetOptions,
  type LoadOptions,
  resolveGetOptions,
  resolveSignal,
} from './entry-options.ts'
import { type EntryView, viewOf } from './entry-view.ts'
import { assertReached, evictionOutcomeOf } from './eviction-outcome.ts'
import { putBesideQueue, putPlain } from './put-beside-queue.ts'
import type { PutResult } from './put-ends.ts'
import type { LoadContext, Loader, LoadMissing, ReadCall } from './read-call.ts'
import { updateOf } from './update-call.ts'
import type { UpdateOptions } from './update-options.ts'
import { type WarmOptions, warmUp } from './warm.ts'
import type { PatternProgress } from './write-path.ts'

/** A named group of entries with one policy. Made by `manager.cache(name, options)`. */
export class Cache<Value = unknown> {
  readonly name: string
  readonly #calls: CacheCalls

  /** Use `manager.cache(name, options)`. `follow` says, at each use, what became of a policy that nobody named. */
  constructor(parts: CacheParts, follow?: (policy: Policy) => Policy) {
    this.name = parts.name
    this.#calls = new CacheCalls(parts, follow)
  }

  get [INTERNALS](): CacheCalls {
    return this.#calls
  }

  /** Returns the full key under which a key is stored, in the scope that holds now. */
  key(key: Key): string {
    return this.#calls.key(key)
  }

  /**
   * Returns the cached value, or loads it: once for all callers of this process and, through the lease, of all nodes.
   *
   * Rejects with what the loader rejects with, `LoadTimeoutError`, or our own misuse errors; never because of the store.
   */
  async getOrLoad(
    key: Key,
    load: (context: LoadContext<Value>) => Promise<Value> | Value,
    options: LoadOptions<Value> = {},
  ): Promise<Value> {
    assertFunction(load, `${this.#calls.where}.getOrLoad.load`)
    return this.#read(this.#calls.loading(key, loaderOf(load), options))
  }

  /**
   * Loads anew, whatever is cached, and keeps the result everywhere: the other nodes are told. Others are served what is
   * cached until then.
   *
   * It is answered by a load that began after the call. All who ask before that begins share it, on all nodes; who asks while
   * one runs shares the next. What changes the key meanwhile wins: the result is the caller's, and not kept. A load that
   * fails leaves what is cached.
   *
   * Rejects as `getOrLoad` does.
   */
  async refresh(
    key: Key,
    load: (context: LoadContext<Value>) => Promise<Value> | Value,
    options: LoadOptions<Value> = {},
  ): Promise<Value> {
    assertFunction(load, `${this.#calls.where}.refresh.load`)
    const call = this.#calls.loading(key, loaderOf(load), options)
    return this.#read(call.with({ mode: 'refresh' }))
  }

  /** Returns a value that may be served now, or `undefined`; never loads. A cached `null` is `null`. */
  async get(key: Key, options: GetOptions = {}): Promise<Value | undefined> {
    const { signal, allowStale } = resolveGetOptions(options, `${this.#calls.where}.get`)
    return whileWanted(signal, () => this.#find(this.#calls.of(key), allowStale))
  }

  /** Returns the values that may be served now, in order, in one round trip. */
  async getMany(keys: readonly Key[], options: GetOptions = {}): Promise<(Value | undefined)[]> {
    const where = `${this.#calls.where}.getMany`
    assertKeys(keys, `${where}.keys`)
    const { signal, allowStale } = resolveGetOptions(options, where)
    const calls = keys.map((key) => this.#calls.of(key))
    const find = (call: ReadCall): Promise<Value | undefined> => this.#find(call, allowStale)
    return whileWanted(signal, () => Promise.all(calls.map(find)))
  }

  /**
   * Returns what there is under a key with its age, its remaining life and its tags, or `undefined`; also what is kept for
   * when loads fail. It loads nothing, does not count as a read and keeps nothing.
   */
  async getEntry(
    key: Key,
    options: Pick<GetOptions, 'signal'> = {},
  ): Promise<EntryView<Value> | undefined> {
    const signal = resolveSignal(options, `${this.#calls.where}.getEntry`)
    return whileWanted(signal, () => this.#view(this.#calls.of(key)))
  }

  /** The same of several keys, in order, in one round trip. */
  async getEntries(
    keys: readonly Key[],
    options: Pick<GetOptions, 'signal'> = {},
  ): Promise<(EntryView<Value> | undefined)[]> {
    const where = `${this.#calls.where}.getEntries`
    assertKeys(keys, `${where}.keys`)
    const signal = resolveSignal(options, where)
    const calls = keys.map((key) => this.#calls.of(key))
    return whileWanted(signal, () => Promise.all(calls.map((call) => this.#view(call))))
  }

  /** Loads what is missing of many keys by one call of `load`, which returns a value for each missing key, in order. */
  async getManyOrLoad(
    keys: readonly Key[],
    load: (
      missing: readonly Key[],
      context: { readonly signal: AbortSignal },
    ) => Promise<readonly (Value | undefined)[]>,
    options: LoadOptions<Value> = {},
  ): Promise<(Value | undefined)[]> {
    assertKeys(keys, `${this.#calls.where}.getManyOrLoad.keys`)
    assertFunction(load, `${this.#calls.where}.getManyOrLoad.load`)
    // The caller may use its list again before the load begins.
    const asked = keys.map((key) => (Array.isArray(key) ? [...(key as readonly KeyPart[])] : key))
    const calls = this.#calls.loadingAll(asked, options)
    const keysAt = (indexes: readonly number[]): readonly Key[] =>
      indexes.map((i) => asked[i] as Key)
    const loadAt: LoadMissing = (missing, context) => load(keysAt(missing), context)
    const found = whileWanted(options.signal, () =>
      loadTogether(this.#calls.parts.reads, calls, loadAt),
    )
    return found as Promise<(Value | undefined)[]>
  }

  /**
   * Writes a value into both tiers; every other node forgets its old one. Of several at once the last writer wins.
   * While the store is away the value waits for it, and is kept here as an isolated node keeps it: the `put` event says `queued`.
   *
   * @throws RecoveryQueueError with `onRemoteFailure: 'throw'` when it did not reach the store; ValueError, KeyError
   */
  async set(key: Key, value: Value, options: EntryOptions<Value> = {}): Promise<void> {
    await this.#put(this.#calls.of(key, options), value)
  }

  /**
   * Makes a new value from the current one, and writes it if nobody has changed the entry in between; otherwise it tries
   * again. Returns the new value. The callback gets a value of its own, or `undefined` where there is none that may be served;
   * it runs once a try, and leaves the entry as it is by returning `undefined`.
   *
   * @throws what the callback throws; UpdateConflictError when the retries are used up; UpdateFailedError when the store is
   * away; ValueError, KeyError; InvalidOptionError for a store that cannot compare
   * @example await caches.cache<number>('visits').update('home', (old = 0) => old + 1)
   */
  async update(
    key: Key,
    change: (old: Value | undefined) => Promise<Value | undefined> | Value | undefined,
    options: UpdateOptions<Value> = {},
  ): Promise<Value | undefined> {
    return updateOf(this.#calls, { key, change, options })
  }

  /** Evicts a key everywhere; an array is one composite key. Afterwards no read on this node returns what was cached before. */
  async evict(key: Key, options?: EvictOptions): Promise<void> {
    const how = resolveEvictOptions(options, 'cache.evict', `${this.#calls.where}.evict`)
    await this.#evict([key], how)
  }

  /** Evicts several keys, in one round trip. */
  async evictMany(keys: readonly Key[], options?: EvictOptions): Promise<void> {
    const where = `${this.#calls.where}.evictMany`
    assertKeys(keys, `${where}.keys`)
    await this.#evict(keys, resolveEvictOptions(options, 'cache.evictMany', where))
  }

  /** Evicts every entry of the namespace that carries one of the tags, whatever cache it is in, in one step. */
  async evictTags(tags: readonly string[], options?: SoftOption): Promise<void> {
    const where = `${this.#calls.where}.evictTags`
    const { soft } = resolveEvictOptions(options, 'cache.evictTags', where)
    assertTags(tags, `${where}.tags`)
    await this.#reported(this.#calls.parts.writes.evictTags(tags, soft), 'tags')
  }

  /** Evicts every entry of this cache, in one step. */
  async clear(options?: SoftOption): Promise<void> {
    const { soft } = resolveEvictOptions(options, 'cache.clear', `${this.#calls.where}.clear`)
    await this.#reported(this.#calls.parts.writes.clear(this.name, soft), `the cache ${this.name}`)
  }

  /**
   * Evicts the keys that match a pattern (`*` any run, `?` one character), by scanning. It evicts while it is iterated, so nothing
   * happens without a `for await`, which gets the progress after each chunk.
   *
   * It finds what is stored while it runs; use tags where nothing may be missed.
   *
   * @throws RecoveryQueueError with `onRemoteFailure: 'throw'` at the first chunk that did not reach the store
   * @example for await (const { evicted } of caches.cache('products').evictPattern('4*')) console.log(evicted)
   */
  evictPattern(
    pattern: string,
    options?: SoftOption,
  ): AsyncGenerator<PatternProgress, void, undefined> {
    const where = `${this.#calls.where}.evictPattern`
    const { soft } = resolveEvictOptions(options, 'cache.evictPattern', where)
    assertText(pattern, `${where}.pattern`, 1_000)
    const { writes, policy } = this.#calls.parts
    const place = { cache: this.name, prefix: this.#calls.prefix, soft }
    return writes.evictPattern(place, pattern, (cause) => {
      if (policy.onRemoteFailure !== 'throw') return
      throw new RecoveryQueueError(`keys of ${this.name}`, cause)
    })
  }

  /**
   * Finds the entries that may be served now, in no order, each once, as they are while it runs; the key as a text, a long
   * one shortened. In the shared tier it needs a store that can scan, and reads every entry of the cache.
   *
   * It remembers the keys it has seen, so it is for caches whose keys fit into memory. It does not count as a read.
   */
  async *entries(): AsyncGenerator<readonly [key: string, value: Value], void, undefined> {
    for await (const [key, value] of everyEntry(this.#calls, true)) {
      if (value !== undefined) yield [key, value as Value]
    }
  }

  /** Finds the keys of the entries that may be served now; as `entries`, and at its cost, but for the decoding of values. */
  async *keys(): AsyncGenerator<string, void, undefined> {
    for await (const [key] of everyEntry(this.#calls, false)) yield key
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
    return warmUp(entries, options, {
      where: `${this.#calls.where}.warm`,
      check: (own) => this.#calls.assertEntryOptions(own),
      write: ([key, value], own) => this.#put(this.#calls.of(key, own), value, putBesideQueue),
    })
  }

  #read(call: ReadCall): Promise<Value> {
    const { reads } = this.#calls.parts
    return whileWanted(call.rules.patience?.signal, () => reads.read(call)) as Promise<Value>
  }

  #find(call: ReadCall, allowsStale: boolean): Promise<Value | undefined> {
    return this.#calls.parts.reads.find(call, allowsStale) as Promise<Value | undefined>
  }

  async #view(call: ReadCall): Promise<EntryView<Value> | undefined> {
    const { reads, node } = this.#calls.parts
    const found = await reads.looks.find(call, { fallback: true, traceless: true })
    return typeof found === 'object' ? (viewOf(found, call, node) as EntryView<Value>) : undefined
  }

  async #put(call: ReadCall, value: Value, put = putPlain): Promise<PutResult> {
    const result = await put(this.#calls.parts, call, value)
    assertReached(result, this.#calls.parts.policy.onRemoteFailure, `a key of ${this.name}`)
    return result
  }

  async #evict(keys: readonly Key[], how: ResolvedEvictOptions): Promise<void> {
    const fullKeys = keys.map((key) => this.key(key))
    const eviction = this.#calls.parts.writes.evict(this.name, fullKeys, how)
    await this.#reported(eviction, `keys of ${this.name}`)
  }

  #reported(eviction: Promise<void>, what: string): Promise<void> {
    const { node, policy } = this.#calls.parts
    return evictionOutcomeOf(node, [eviction], policy.onRemoteFailure, what)
  }
}

function loaderOf<Value>(load: (context: LoadContext<Value>) => Promise<Value> | Value): Loader {
  return { load: async (context) => load(context as LoadContext<Value>) }
}
