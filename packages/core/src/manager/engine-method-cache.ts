/** The engine's side of a decorated method. `hit` is the local-hit path: no frame, closure or allocation it can do without. */

import { loadTogether } from '../cache/batch-load.ts'
import { type CacheParts, tagNames } from '../cache/cache.ts'
import { evictionOutcome } from '../cache/eviction-outcome.ts'
import type { LoadContext, ReadCall } from '../cache/read-call.ts'
import type { Coherence, Stamp } from '../coherence/coherence.ts'
import type { Clock } from '../contracts/clock.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { EntryAddress } from '../contracts/remote-store.ts'
import type {
  EvictCall,
  MethodCache,
  MethodCall,
  MethodDescription,
} from '../decorators/method-cache.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import type { Emitter } from '../events/events.ts'
import type { ReadCounters } from '../events/stats.ts'
import { Recent } from '../keys/recent.ts'
import { type Duration, parseDuration } from '../options/duration.ts'

export class EngineMethodCache implements MethodCache {
  readonly #parts: CacheParts
  readonly #where: string
  readonly #counters: ReadCounters
  /** By key, with the full key in it. */
  readonly #places: Recent<string, EntryAddress>
  readonly #clock: Clock
  readonly #coherence: Coherence
  readonly #events: Emitter
  readonly #maxStalenessMs: number
  /** Absent when hits have to be copied, or there is no local tier: then nothing is a calm hit. */
  readonly #local: LocalStore<LocalEntry> | undefined

  constructor(parts: CacheParts, method: MethodDescription) {
    const { node, policy, name } = parts
    this.#parts = parts
    this.#where = method.where
    this.#counters = node.stats.of(name, method.method)
    const prefix = `${name}:`
    this.#places = new Recent((key) => node.addressOf(prefix + key))
    this.#clock = node.clock
    this.#coherence = node.coherence
    this.#events = node.events
    this.#maxStalenessMs = policy.maxStalenessMs
    this.#local = policy.local && policy.isolation !== 'cloned' ? node.local : undefined
  }

  hit(key: string): Promise<unknown> | undefined {
    const entry = this.#local?.get(this.#places.of(key).key)
    if (entry === undefined || entry.checked !== this.#coherence.changes) return undefined
    const now = this.#clock.now()
    if (now >= entry.calmUntil) return undefined
    if (now - this.#coherence.confirmedAt >= this.#maxStalenessMs) return undefined
    if (this.#events.hearsHits) return undefined
    this.#counters.localHits += 1
    entry.promise ??= Promise.resolve(entry.value)
    return entry.promise
  }

  getOrLoad(
    key: string,
    load: (context: LoadContext) => Promise<unknown>,
    call: MethodCall,
  ): Promise<unknown> {
    return this.#parts.reads.read(this.#readCall(key, call, load))
  }

  getManyOrLoad(
    keys: readonly string[],
    load: (missing: readonly number[], context: LoadContext) => Promise<readonly unknown[]>,
    calls: readonly MethodCall[],
  ): Promise<readonly unknown[]> {
    const reads = keys.map((key, i) => this.#readCall(key, calls[i] ?? PLAIN_CALL, nothingToLoad))
    return loadTogether(this.#parts.reads, reads, load)
  }

  peek(key: string): Promise<unknown> {
    return this.#parts.reads.find(this.#readCall(key, PLAIN_CALL, nothingToLoad))
  }

  begin(key: string): Stamp {
    return this.#parts.writes.begin(this.#readCall(key, PLAIN_CALL, nothingToLoad))
  }

  put(key: string, value: unknown, call: MethodCall, begun: Stamp | undefined): Promise<void> {
    return this.#parts.writes.put(this.#readCall(key, call, nothingToLoad), value, begun)
  }

  async evict({ keys, tags, all, soft, settleMs }: EvictCall): Promise<void> {
    const { writes, name, policy } = this.#parts
    const evictions = [
      writes.evict(
        name,
        keys.map((key) => this.#places.of(key).key),
        { soft, settleMs },
      ),
      writes.evictTags(tags),
      ...(all ? [writes.clear(name)] : []),
    ]
    // All of them are waited for, so that none is still running when the caller goes on.
    await Promise.allSettled(evictions)
    await evictionOutcome(Promise.all(evictions), policy.onRemoteFailure, `entries of ${name}`)
  }

  fullKey(key: string): string {
    return this.#places.of(key).key
  }

  #readCall(
    key: string,
    call: MethodCall,
    load: (context: LoadContext) => Promise<unknown>,
  ): ReadCall {
    const { tagsOf, ttlOf, storeWhen } = call
    const address = this.#places.of(key)
    return {
      cache: this.#parts.name,
      cacheTag: this.#parts.cacheTag,
      fullKey: address.key,
      address,
      policy: this.#parts.policy,
      counters: this.#counters,
      mode: call.mode,
      load,
      tags: tagNames(call.tags, `${this.#where}.tags`),
      tagsOf:
        tagsOf === undefined
          ? undefined
          : (value) => tagNames(tagsOf(value), `${this.#where}.tags`),
      ttlOf: ttlOf === undefined ? undefined : (value) => this.#ttl(ttlOf(value)),
      storeWhen,
      onDecided: undefined,
    }
  }

  #ttl(value: unknown): number | undefined {
    return value === undefined ? undefined : parseDuration(value as Duration, `${this.#where}.ttl`)
  }
}

const PLAIN_CALL: MethodCall = { mode: 'normal', tags: [] }

const nothingToLoad = (): Promise<undefined> => Promise.resolve(undefined)
