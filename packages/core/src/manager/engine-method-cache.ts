/** The engine's side of a decorated method. `hit` is the local-hit path: it has no call, closure or allocation that it can do without. */

import { loadTogether } from '../cache/batch-load.ts'
import { besideQueue } from '../cache/behind-writes.ts'
import type { CacheParts } from '../cache/cache-parts.ts'
import type { EntryPlace } from '../cache/entry-rules.ts'
import { assertReached, evictionOutcomeOf } from '../cache/eviction-outcome.ts'
import type { LocalTier, Shortcuts } from '../cache/local-tier.ts'
import type { PutFence } from '../cache/put-fence.ts'
import {
  type LoadContext,
  type Loader,
  nothingToLoad,
  ReadCall,
  type ReadRules,
  ReadSite,
  withPolicyTags,
} from '../cache/read-call.ts'
import type { Knowledge } from '../coherence/knowledge.ts'
import type { Clock } from '../contracts/clock.ts'
import type { EntryAddress } from '../contracts/remote-store.ts'
import type {
  MethodCache,
  MethodDescription,
  MethodEviction,
} from '../decorators/bound/method-cache.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import type { Emitter } from '../events/emitter.ts'
import { type KeyFrame, NO_FRAME, type SoleArgument } from '../keys/key-frame.ts'
import { wellFormedKey } from '../keys/key-text.ts'
import { Recent } from '../keys/recent.ts'
import type { ReadCounters } from '../stats/stats.ts'

const NO_ENTRIES: ReadonlyMap<SoleArgument, LocalEntry> = new Map()
const PLAIN_RULES: ReadRules = { mode: 'normal', tags: [] }

export class EngineMethodCache implements MethodCache {
  readonly onTtl: EntryPlace['onTtl']
  readonly #parts: CacheParts
  readonly #where: string
  readonly #counters: ReadCounters
  readonly #site: ReadSite
  /** By key, with the full key in it. */
  readonly #addresses: Recent<string, EntryAddress>
  readonly #clock: Clock
  readonly #knowledge: Knowledge
  readonly #events: Emitter
  readonly #maxStalenessMs: number
  /** Absent when hits have to be copied, or without a local tier: then no hit can take the short way. */
  readonly #local: LocalTier | undefined
  readonly #shortcuts: Shortcuts | undefined
  readonly #byKey: Pick<ReadonlyMap<string, LocalEntry>, 'get'>
  readonly #byArgument: ReadonlyMap<SoleArgument, LocalEntry>
  readonly #frame: KeyFrame

  constructor(parts: CacheParts, method: MethodDescription) {
    const { node, policy, name } = parts
    this.#parts = parts
    this.#where = method.where
    this.onTtl = node.secondsMeant?.look.bind(node.secondsMeant, name)
    this.#counters = node.stats.of(name, method.method)
    this.#site = new ReadSite(name, parts.cacheTag, policy, this.#counters, method.where)
    const prefix = `${name}:`
    this.#addresses = new Recent((key) => node.addressOf(prefix + wellFormedKey(key)))
    this.#clock = node.clock
    this.#knowledge = node.knowledge
    this.#events = node.events
    this.#maxStalenessMs = policy.maxStalenessMs
    this.#local = policy.local && policy.isolation !== 'cloned' ? node.local : undefined
    this.#frame = method.frame ?? NO_FRAME
    this.#shortcuts = this.#local?.shortcutsTo(name)
    this.#byKey = this.#shortcuts?.byKey ?? NO_ENTRIES
    const frame = policy.scope === undefined ? method.frame : undefined
    this.#byArgument = (frame && this.#shortcuts?.byArgument(frame)) ?? NO_ENTRIES
  }

  hit(key: string, argument?: SoleArgument): Promise<unknown> | undefined {
    const known = this.#byKey.get(key)
    return known === undefined ? this.#firstHit(key, argument) : this.#calmHit(known)
  }

  hitByArgument(argument: SoleArgument): Promise<unknown> | undefined {
    const known = this.#byArgument.get(argument)
    return known === undefined ? undefined : this.#calmHit(known)
  }

  #firstHit(key: string, argument: SoleArgument | undefined): Promise<unknown> | undefined {
    const local = this.#local
    if (local === undefined) return undefined
    const fullKey = this.#addresses.of(key).key
    const entry = local.get(fullKey)
    if (entry === undefined) return undefined
    const hit = this.#calmHit(entry)
    if (hit === undefined || this.#shortcuts === undefined) return hit
    const most = local.size
    if (argument === undefined) this.#shortcuts.addKey(key, fullKey, entry, most)
    else this.#shortcuts.addArgument(argument, fullKey, entry, { frame: this.#frame, most })
    return hit
  }

  /** Everything that decides about a hit. */
  #calmHit(entry: LocalEntry): Promise<unknown> | undefined {
    if (entry.checked !== this.#knowledge.changes) return undefined
    const now = this.#clock.now()
    if (now >= entry.calmUntil) return undefined
    if (now - this.#knowledge.confirmedAt >= this.#maxStalenessMs) return undefined
    if (this.#events.hearsHits) return undefined
    this.#counters.localHits += 1
    // Written only when it changes, so that a field that is read again and again stays in the processor's cache.
    if (!entry.isUsed) entry.isUsed = true
    entry.promise ??= Promise.resolve(entry.value)
    return entry.promise
  }

  getOrLoad(key: string, loader: Loader, rules: ReadRules): Promise<unknown> {
    const { reads, node, policy } = this.#parts
    const call = this.#readCall(key, rules, loader)
    return reads.read(policy.behind === undefined ? call : besideQueue(node, call))
  }

  getManyOrLoad(
    keys: readonly string[],
    load: (missing: readonly number[], context: LoadContext) => Promise<readonly unknown[]>,
    rules: readonly ReadRules[],
  ): Promise<readonly unknown[]> {
    const reads = keys.map((key, i) => this.#readCall(key, rules[i] ?? PLAIN_RULES, nothingToLoad))
    return loadTogether(this.#parts.reads, reads, load)
  }

  peek(key: string): Promise<unknown> {
    return this.#parts.reads.find(this.#readCall(key, PLAIN_RULES, nothingToLoad))
  }

  begin(): PutFence | Promise<PutFence> {
    return this.#parts.puts.begin()
  }

  async put(
    key: string,
    value: unknown,
    rules: ReadRules,
    begun: PutFence | undefined,
  ): Promise<void> {
    const { puts, policy, name } = this.#parts
    const result = await puts.put({
      call: this.#readCall(key, rules, nothingToLoad),
      value,
      begun,
    })
    assertReached(result, policy.onRemoteFailure, `a key of ${name}`)
  }

  readonly unfit = (error: unknown): void => {
    this.#events.emit('background-error', { task: `${this.#where} keeping its result`, error })
  }

  async evict({ keys, tags, all, soft, settleMs }: MethodEviction): Promise<void> {
    const { writes, name, policy, node } = this.#parts
    const fullKeys = keys.map((key) => this.#addresses.of(key).key)
    const evictions = [
      writes.evict(name, fullKeys, { soft, settleMs }),
      writes.evictTags(tags, soft),
      ...(all ? [writes.clear(name, soft)] : []),
    ]
    await evictionOutcomeOf(node, evictions, policy.onRemoteFailure, `entries of ${name}`)
  }

  fullKey(key: string): string {
    return this.#addresses.of(key).key
  }

  #readCall(key: string, rules: ReadRules, loader: Loader): ReadCall {
    const all = withPolicyTags(rules, this.#parts.policy, this.#where)
    return new ReadCall(this.#site, this.#addresses.of(key), loader, all)
  }
}
