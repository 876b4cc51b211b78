/** One read as the engine sees it: everything about the call that is not the node's state. */

import { tagName } from '../coherence/tag-clock.ts'
import type { EntryAddress } from '../contracts/remote-store.ts'
import { assertTags } from '../options/assert-option.ts'
import type { Policy } from '../options/cache-options.ts'
import type { ReadCounters } from '../stats/stats.ts'
import type { EntryRules } from './entry-rules.ts'

/** The argument of a loader. */
export interface LoadContext<Value = unknown> {
  /** Aborts when the load is given up: `loadTimeout`, no waiting caller, or `close()`. */
  readonly signal: AbortSignal
  /** The value that this load is to replace, if the cache still has one; for conditional requests. */
  readonly previous: Value | undefined
  /** True where nobody waits for the load: its caller was served a stale value. */
  readonly isBehind: boolean
}

/** Makes a value when no tier has it. */
export interface Loader {
  /** It hands its key in for a call that loads many. */
  readonly isOfMany?: boolean
  load(context: LoadContext): Promise<unknown>
}

/** Loads the keys at the given indexes; returns one value each, in that order. */
export type LoadMissing = (
  missing: readonly number[],
  context: LoadContext,
) => Promise<readonly unknown[]>

/** For a call that does not load. */
export const nothingToLoad: Loader = { load: () => Promise.resolve(undefined) }

/** How tiers are used by a call (see `skipCache`). */
export type ReadMode = 'normal' | 'refresh' | 'localOnly'

/** After so many misses in a row, the next read will probably miss too. */
const COLD_RUN = 8

/** What all reads of one cache, or of one method, have in common. */
export class ReadSite {
  /** Name of the cache. */
  readonly cache: string
  /** The tag every entry of the cache carries. */
  readonly cacheTag: string
  readonly policy: Policy
  readonly counters: ReadCounters
  /** How messages name it. */
  readonly where: string
  /** Its loads are tracked by their async context, in spite of the cost: one of them may have waited for itself. */
  tracksLoads = false
  #hasReplaced = false
  #missesInARow = 0

  // biome-ignore lint/complexity/useMaxParams: its fields, in their order
  constructor(
    cache: string,
    cacheTag: string,
    policy: Policy,
    counters: ReadCounters,
    where = `cache(${cache})`,
  ) {
    this.cache = cache
    this.cacheTag = cacheTag
    this.policy = policy
    this.counters = counters
    this.where = where
  }

  /**
   * True of the first load that is to replace a value. One that asks for its own key would be given that value, which
   * nobody would ever notice; so once it is looked for.
   */
  replacesFirst(): boolean {
    const isFirst = !this.#hasReplaced
    this.#hasReplaced = true
    return isFirst
  }

  /**
   * True while nothing of it is found in the store: then a claim, which answers with what there is, saves the look
   * before it. Not where stale values may be served, because a claim does not return them.
   */
  get isCold(): boolean {
    const { staleWhileRevalidateMs, staleIfErrorMs } = this.policy
    const servesStale = staleWhileRevalidateMs > 0 || staleIfErrorMs > 0
    return this.#missesInARow >= COLD_RUN && !servesStale
  }

  /** Notes whether something was found in the store. */
  noteFound(isFound: boolean): void {
    this.#missesInARow = isFound ? 0 : this.#missesInARow + 1
  }
}

/** How long a call waits. */
export interface Patience {
  readonly signal?: AbortSignal | undefined
  /** 0 for none; `undefined` for the policy's. */
  readonly hardTimeoutMs?: number | undefined
}

/** The part of a flight that a waiting caller uses. */
interface Awaited {
  leave(reason: unknown): void
  stay(): void
}

/** A caller that may stop waiting before there is an answer; see caller.ts. */
export interface WaitingCaller {
  onGone: ((reason: unknown) => void) | undefined
  joined(flight: Awaited): void
}

/** The rules of a call for its result and for its waiting. */
export interface ReadRules extends EntryRules {
  readonly mode: ReadMode
  /** Whether the caller may stop waiting. */
  readonly patience?: Patience | undefined
  /** The waiting caller, if it may stop waiting. */
  readonly caller?: WaitingCaller | undefined
}

/** One read. Few fields, because one is made for every read that is not a plain local hit. */
export class ReadCall {
  readonly site: ReadSite
  readonly address: EntryAddress
  readonly loader: Loader
  readonly rules: ReadRules
  /** Called once when the flight knows whether it will load (a batch then knows what is missing). */
  readonly onDecided: (() => void) | undefined

  // biome-ignore lint/complexity/useMaxParams: one is made for each read that is not a local hit
  constructor(
    site: ReadSite,
    address: EntryAddress,
    loader: Loader,
    rules: ReadRules,
    onDecided?: () => void,
  ) {
    this.site = site
    this.address = address
    this.loader = loader
    this.rules = rules
    this.onDecided = onDecided
  }

  get cache(): string {
    return this.site.cache
  }

  get cacheTag(): string {
    return this.site.cacheTag
  }

  get policy(): Policy {
    return this.site.policy
  }

  get counters(): ReadCounters {
    return this.site.counters
  }

  /** `cache:key`. */
  get fullKey(): string {
    return this.address.key
  }

  get mode(): ReadMode {
    return this.rules.mode
  }

  /** True when the caller may stop waiting, and nobody waits in its name yet. */
  get isImpatient(): boolean {
    const { caller, patience } = this.rules
    if (caller !== undefined) return false
    return patience !== undefined || this.site.policy.hardTimeoutMs > 0
  }

  /** Whether a claim saves the look before it; see `ReadSite.isCold`. */
  get isCold(): boolean {
    const { staleWhileRevalidateOf, staleIfErrorOf } = this.rules
    const servesStale = staleWhileRevalidateOf !== undefined || staleIfErrorOf !== undefined
    return !servesStale && this.site.isCold
  }

  /** The same read with other rules. */
  with(more: Partial<ReadRules>): ReadCall {
    const rules = { ...this.rules, ...more }
    return new ReadCall(this.site, this.address, this.loader, rules, this.onDecided)
  }

  /** The same read in the background, after the caller was served. */
  unobserved(): ReadCall {
    const { patience, caller, ...others } = this.rules
    const isPlain = patience === undefined && caller === undefined
    return new ReadCall(this.site, this.address, this.loader, isPlain ? this.rules : others)
  }
}

/**
 * Adds the policy's tags to what a call says. They are asked for at the call, in its async context, because a load may be
 * kept for callers of several; when they cannot be had, it is as with a call's own: nothing is kept, and that is reported.
 */
export function withPolicyTags(rules: ReadRules, { tagsNow }: Policy, where: string): ReadRules {
  if (tagsNow === undefined) return rules
  try {
    const tags = tagsNow()
    assertTags(tags, `${where}.tags`)
    return { ...rules, tags: [...new Set([...tags.map(tagName), ...rules.tags])] }
  } catch (error) {
    const tagsOf = (): never => {
      throw error
    }
    return { ...rules, tagsOf }
  }
}
