/**
 * What a cache manager reports, one type per event.
 *
 * One word for one thing: `outcome` is what became of it, `reason` is one of a few words that say why, `error` is whatever
 * was thrown, `state` is how something stands now, and times are `…Ms`. Names are nouns, or verbs as in a command.
 */

/** Fields every event about one key has. */
export interface KeyEvent {
  readonly cache: string
  readonly key: string
}

/**
 * The value that an event is about, as callers get it; made when a listener asks for it. Not enumerable, so that code that prints
 * or copies an event leaves it out.
 */
export interface ValueEvent {
  readonly value?: unknown
}

/** The outcome of writing a value. */
export type PutOutcome =
  /** It is kept in the tiers of its policy. */
  | 'stored'
  /** It is kept in this process only: it is larger than `maxValueBytes`. */
  | 'local'
  /** It is not kept, because its policy says so or because a newer value may exist; the key is evicted, or will be. */
  | 'not-kept'
  /**
   * The store could not be reached: the value is kept here for `maxStaleness`, and waits to be sent. A later event without the
   * value says what became of it, `stored` or `not-kept`.
   */
  | 'queued'

/**
 * Why a read was a miss: the most that was known of it in either tier.
 *
 * - `absent`: nothing was there. Also after an eviction of the key, or of what it expired with, that removed all of it.
 * - `expired`: an entry was there, and its time was over.
 * - `evicted`: an entry was there that was evicted softly, or by something that this node knows and the store does not yet.
 * - `tag`: one of its tags was evicted, its cache, or everything.
 * - `version`: it was written under another `version` of the cache.
 * - `undecodable`: its bytes could not be read; see the event of that name.
 * - `store-away`: the store could not be asked, or nothing that it says can be judged at the moment.
 */
export type MissReason =
  | 'absent'
  | 'expired'
  | 'evicted'
  | 'tag'
  | 'version'
  | 'undecodable'
  | 'store-away'

/**
 * Why an entry could not be read. `format`: its bytes are no entry, or damaged; `unknown-step`: it needs a codec step that no
 * plugin here has; `missing-step`: it did not go through the step that is required here; `step`: a step refused it;
 * `value`: the codec, or the type or `fromPlain` that makes the value, refused it.
 */
export type UndecodableReason = 'format' | 'unknown-step' | 'missing-step' | 'step' | 'value'

/**
 * What an outage is about. `setup`: the store cannot be used at all, and that does not pass; `unreachable`; `refusing`: it
 * is there and refuses what it is asked, writes mostly; `deaf`: its messages do not arrive; `limits`: only the limit store is away.
 */
export type OutageKind = 'setup' | 'unreachable' | 'refusing' | 'deaf' | 'limits'

/** Every event of a manager by name. Events are facts: a listener cannot change the outcome. */
export interface CacheEvents {
  /** A value was served from a tier. */
  hit: KeyEvent & ValueEvent & { readonly tier: 'local' | 'remote'; readonly negative: boolean }
  /** No tier had a servable value. */
  miss: KeyEvent & { readonly reason: MissReason }
  /** A loader ended. */
  load: KeyEvent &
    ValueEvent & {
      readonly durationMs: number
      readonly outcome: 'value' | 'negative' | 'error'
      readonly reason: 'miss' | 'refresh'
    }
  /** A value past its freshness was served; `asked`: to a caller that asked for values kept for failed loads. */
  stale: KeyEvent & ValueEvent & { readonly reason: 'revalidating' | 'error' | 'timeout' | 'asked' }
  /** A value was written by request (`set`, `@CachePut`, `warm`), or was not: see `outcome`. */
  put: KeyEvent & ValueEvent & { readonly outcome: PutOutcome }
  /** Keys, tags or a whole cache were evicted by request on this node, or wait in the recovery queue for the store. */
  evict: {
    readonly cache: string | undefined
    readonly keys: readonly string[]
    readonly tags: readonly string[]
    readonly all: boolean
    readonly outcome: 'done' | 'queued'
  }
  /** Another node's change, or our own delivered back, was applied here. */
  invalidate: { readonly keys: readonly string[]; readonly tags: readonly string[] }
  /**
   * A finished load was not kept: its key was evicted, replaced or taken over meanwhile, or the arguments it ran with were
   * no longer those that the key was made of.
   */
  discard: KeyEvent
  /** The remote store failed, timed out, or was skipped by the open breaker. */
  'store-error': {
    readonly operation: string
    readonly error: unknown
    readonly skipped: boolean
  }
  /**
   * An outage of the remote store, put together: one event when it begins, one when it ends, and while a store refuses
   * writes one per minute. `store-error` and `bus-gap` are single calls and partitions, for counters.
   */
  outage: {
    readonly state: 'began' | 'lasts' | 'ended'
    readonly kind: OutageKind
    /** What the store, or the way to it, said first. */
    readonly message: string
    readonly durationMs: number
    readonly failedCalls: number
    /** Calls that the open circuit breaker did not let through. */
    readonly skippedCalls: number
    /** True when the store has not been there since this manager was made. */
    readonly wasNeverUp: boolean
  }
  /** A store or provider cannot be used as it is set up: a right is missing. Once each. */
  trouble: { readonly error: Error }
  /** The circuit breaker changed. */
  breaker: { readonly state: 'closed' | 'open' | 'half-open' }
  /**
   * Bytes of an entry could not be read: foreign, damaged, of an unknown codec step, or of a class not registered. Of one cache
   * and reason there are at most ten events in ten seconds, which say how many there were: with a wrong key every read is one. `stats().undecodable` counts them all.
   */
  undecodable: KeyEvent & {
    readonly reason: UndecodableReason
    readonly error: unknown
    /** Entries of this cache that could not be read for this reason since the event before, this one included. */
    readonly count: number
  }
  /**
   * A callback about keeping a result threw, or returned something that it must not (`error` says what was expected): the result
   * was handed out and not kept.
   */
  'callback-error': KeyEvent & {
    readonly option:
      | 'tags'
      | 'ttl'
      | 'staleWhileRevalidate'
      | 'staleIfError'
      | 'unless'
      | 'unshared'
      | 'cacheErrors'
    readonly error: unknown
  }
  /**
   * A local hit was compared with the store (`measureStaleness`), and had been outdated for longer than the `maxStaleness` of its
   * cache when it was served. Of one cache there are at most ten events in ten seconds, which say how many there were.
   */
  'too-stale': KeyEvent & {
    readonly reason: 'evicted' | 'replaced' | 'tag'
    /** For how long it had been outdated, ms. */
    readonly stalenessMs: number
    readonly maxStalenessMs: number
    /** Hits of this cache for which this was found since the event before, this one included. */
    readonly count: number
  }
  /** A value is larger than `maxValueBytes` and was kept out of the remote tier. */
  'too-large': KeyEvent & { readonly bytes: number; readonly maxBytes: number }
  /** A message was lost, arrived out of order, or history was lost; `recovered` tells whether the log closed the gap. */
  'bus-gap': {
    readonly partition: number | 'tags'
    readonly recovered: boolean
    readonly reason: 'gap' | 'behind' | 'history-lost'
  }
  /** The bus subscription came up or went down. */
  bus: { readonly state: 'up' | 'down'; readonly error: unknown }
  /** This node cannot verify its entries (isolated), or can again. */
  coherence: { readonly state: 'verified' | 'isolated' }
  /** Evictions that could not reach the store wait here, or have left. */
  'recovery-queue': { readonly waiting: number; readonly escalated: 'none' | 'partition' | 'clear' }
  /** An entry was dropped from the local tier for room. */
  drop: KeyEvent
  /** A lock was granted or refused, or it ended. */
  lock: {
    readonly key: string
    readonly outcome: 'granted' | 'timeout' | 'unavailable' | 'released' | 'lost' | 'release-failed'
    /** How long the caller waited for it, or how long it was held, ms. */
    readonly durationMs: number
    /** Who decided: the name of the lock provider. */
    readonly source: string
  }
  /** A limiter decided, or let a call pass undecided. */
  limit: {
    readonly limiter: string
    readonly key: string
    readonly allowed: boolean
    /** The same without `dryRun`. */
    readonly withinLimit: boolean
    /** The policy that refused, or the one with the smallest part left. */
    readonly policy: string
    readonly source: 'remote' | 'known' | 'local' | 'open' | 'off'
    /** How long the call has to wait for its turn, ms. */
    readonly waitMs: number
  }
  /** The circuit breaker of the limit store changed. */
  'limit-breaker': {
    readonly state: 'closed' | 'open' | 'half-open'
    readonly provider: string
  }
  /** A session was to be saved that has ended: nothing was saved, and the caller was not told. */
  'session-refused': {
    /** The name of the sessions. No id, because a caller that has one has the session. */
    readonly sessions: string
    readonly operation: 'save' | 'touch' | 'move'
  }
  /** A delivery of a message of a stream has ended. */
  stream: {
    readonly stream: string
    readonly group: string
    /** The id of the message; absent when it cannot be read. */
    readonly id: string | undefined
    /**
     * `handled`; `duplicate`: it had been handled before, and was not again; `retry`: it will be delivered again; `dead-letter`; `dropped`: it
     * was given up, and is not kept; `handed-back`: another consumer gets it; `lost`: another consumer has it, because this one was
     * silent about it for too long; `gone`: it was trimmed before it was handled.
     */
    readonly outcome:
      | 'handled'
      | 'duplicate'
      | 'retry'
      | 'dead-letter'
      | 'dropped'
      | 'handed-back'
      | 'lost'
      | 'gone'
    /** How often it was delivered to this group. */
    readonly deliveries: number
    /** How long the handler ran, ms. */
    readonly durationMs: number
    readonly error: unknown
  }
  /** A group of a stream was made, or is no longer there and was made anew: the store has lost data, or somebody removed it. */
  'stream-group': {
    readonly stream: string
    readonly group: string
    readonly state: 'made' | 'lost'
  }
  /** Messages of a topic did not reach a handler, or a handler failed. */
  topic: {
    readonly topic: string
    /**
     * `missed`: they were lost on the way; `dropped`: the handler was too slow; `invalid`: the schema refused it, or it cannot be read;
     * `failed`: the handler threw or rejected.
     */
    readonly reason: 'missed' | 'dropped' | 'invalid' | 'failed'
    /** How many; `unknown` after the connection was lost. */
    readonly count: number | 'unknown'
    readonly error: unknown
  }
  /** A projection has taken or lost the turn of a partition, or cannot go on for the moment. */
  projection: {
    /** The name of the event store. */
    readonly store: string
    readonly projection: string
    readonly partition: number
    /**
     * `taken`; `lost` to another projector; `rewound`: the store has lost events that were handled, and it goes on from what it has;
     * `failed`: it is tried again, from the same event on.
     */
    readonly state: 'taken' | 'lost' | 'rewound' | 'failed'
    readonly error: unknown
  }
  /** A background task (refresh, fill, renewal) failed; the caller was not affected. */
  'background-error': { readonly task: string; readonly error: unknown }
}

export type CacheEventName = keyof CacheEvents

/**
 * Events of plugins, by `plugin:event`. A plugin declares its own, and emits them by `host.emit`:
 * `declare module '@larder/core' { interface PluginEvents { 'audit:written': { readonly file: string } } }`
 */
// biome-ignore lint/suspicious/noEmptyInterface: plugins add to it
export interface PluginEvents {}

/** Every event that can be listened to: the manager's own, and those of its plugins. */
export type AllEvents = CacheEvents & PluginEvents
export type EventName = keyof AllEvents
