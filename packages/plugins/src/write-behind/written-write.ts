/** What a writer is given. */

/** What the key is from now on; a change to it, where the queue merges; or that it is gone. */
export type WrittenWrite<Value> =
  | (WriteFacts & { readonly kind: 'value' | 'merge'; readonly value: Value })
  | (WriteFacts & { readonly kind: 'delete'; readonly value: undefined })

export interface WriteFacts {
  /** As a text; with the scope of the cache in front, where the queue has one. */
  readonly key: string
  /** Grows with each write of a key. A database that keeps it can refuse an older write. */
  readonly version: number
  /** The version of the first of those that were put together; otherwise `version`. */
  readonly since: number
}

/** The hold under which a batch is written. */
export interface FlushContext {
  /**
   * Above that of every process that wrote before: a database that remembers the highest can refuse a process that was too slow.
   * `undefined` for a write that could not be queued, with `onUnavailable: 'write-through'`.
   */
  readonly fence: number | undefined
  /** Aborts when the hold is lost, or the writer has taken too long. What is written afterwards may be older than what others wrote. */
  readonly signal: AbortSignal
}

/** A write that failed for good. */
export interface DeadLetter<Value = unknown> {
  readonly id: string
  readonly key: string
  readonly kind: 'value' | 'merge' | 'delete'
  /** `undefined` for a delete, and for what cannot be decoded any more. */
  readonly value: Value | undefined
  /** What the writer failed with. */
  readonly error: string
  readonly version: number
  /** On the store's clock. */
  readonly buriedAt: Date
  /** How often it was tried. */
  readonly tries: number
  /** A newer write of the key was queued since: `replay` would make this one the newest again, and needs `force`. */
  readonly isOutdated: boolean
}
