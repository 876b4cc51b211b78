/**
 * What write-behind asks of a store: a queue of writes by key, from which one process at a time takes what is due.
 *
 * A key has at most one value that waits, because a newer one takes the place of an older one; changes that are to be merged wait
 * one behind the other. Every write has a version, minted by the store: at least its clock in microseconds, and above every version before, also
 * after the store has lost data. What was written is removed by its version, so a write that came meanwhile stays.
 *
 * Who takes writes holds the queue for a while, under a fence minted the same way. Every later step names the hold, and does nothing
 * once it is over.
 *
 * Everything of a queue is on one server, so each step is one round trip. Every method may reject at any time; the caller bounds it
 * with its own deadline and ignores late replies. What concerns one queue only is rejected with a `StoreKeyError`.
 */

/** `value`: what the key is from now on. `delete`: it is gone. `merge`: a change, put together with what waits by the process that writes it. */
export type WriteKind = 'value' | 'delete' | 'merge'

export interface NewWrite {
  /** Any text, not empty. */
  readonly key: string
  readonly kind: WriteKind
  readonly bytes: Uint8Array
}

export interface EnqueueRequest {
  /** From 1. Taken in their order, all of them or none. */
  readonly writes: readonly NewWrite[]
  /** When they become due, ms from now. A key that waits already keeps its time, unless this is sooner. */
  readonly delayMs: number
  /** How many writes may wait afterwards; above it, those that take the place of others are still taken. */
  readonly most: number
  /** How long to wait until the store has them on disk, ms; 0 for not at all. */
  readonly onDiskMs: number
}

export type EnqueueReply =
  /** `versions`: of each write. `isOnDisk`: whether the store had them there in time; false where that was not asked. */
  | { readonly kind: 'queued'; readonly versions: readonly number[]; readonly isOnDisk: boolean }
  /** Nothing was taken. */
  | { readonly kind: 'full'; readonly waiting: number }

/** A value that waits. `several`: changes that only a merge makes a value of. */
export interface WaitingWrite {
  readonly kind: 'value' | 'delete' | 'several'
  /** Of the last write of the key. */
  readonly version: number
  /** Of the oldest one that waits. */
  readonly since: number
  /** Empty but for a value. */
  readonly bytes: Uint8Array
}

/** The right to take writes of a queue. */
export interface QueueHold {
  /** Random, of one process. */
  readonly owner: string
  /** Above that of everybody who held the queue before. */
  readonly fence: number
}

export interface TakeRequest {
  readonly owner: string
  /** How long the queue is held from now on, ms. */
  readonly holdMs: number
  /** How many keys at most. From 1. */
  readonly most: number
}

/** One write of a key, or several that are to be merged, the oldest first. */
export interface TakenWrite {
  readonly key: string
  /** How often it was taken before, without being written. */
  readonly tries: number
  /**
   * How often it was taken alone by a process whose hold then ended by itself, as that of a process that has crashed, while other writes
   * were written. A write that was taken with others at such an end is taken alone after the second one.
   */
  readonly vanished: number
  readonly parts: readonly {
    readonly kind: WriteKind
    readonly version: number
    readonly bytes: Uint8Array
  }[]
}

export type TakeReply =
  /** Another process holds the queue, for so long unless it renews. */
  | { readonly kind: 'held'; readonly remainingMs: number }
  /** `nextMs`: when the next write becomes due, ms from now; `undefined` where none waits. */
  | {
      readonly kind: 'taken'
      readonly fence: number
      readonly writes: readonly TakenWrite[]
      readonly nextMs: number | undefined
    }

/** A write that was taken, by the last version of its parts. */
export interface WrittenKey {
  readonly key: string
  readonly version: number
}

/** `lost`: the hold is over, and nothing was done. */
export type StepReply = 'done' | 'lost'

export interface PostponeRequest {
  readonly keys: readonly string[]
  readonly delayMs: number
}

export interface BuryRequest extends WrittenKey {
  /** Random. */
  readonly id: string
  /** What is kept of the error. */
  readonly error: string
  /** How many dead letters are kept. */
  readonly most: number
}

/** `newer`: a newer write of the key waits, so this one is dropped. `full`: there are too many dead letters; it stays in the queue. */
export type BuryReply = 'buried' | 'newer' | 'full' | 'lost'

export interface BuriedWrite {
  readonly id: string
  readonly key: string
  readonly error: string
  /** On the store's clock, ms since the epoch. */
  readonly buriedAt: number
  readonly tries: number
  /** A newer write of the key was queued since. */
  readonly isOutdated: boolean
  readonly parts: TakenWrite['parts']
}

/** `outdated`: a newer write of the key was queued since, and nothing was done. */
export type ReplayReply =
  | { readonly kind: 'replayed'; readonly key: string; readonly version: number }
  | { readonly kind: 'outdated' | 'absent' }

/** How a queue stands. */
export interface QueueState {
  /** Writes that wait. Above the number of keys only where changes wait to be merged. */
  readonly writes: number
  readonly keys: number
  readonly deadLetters: number
  /** Keys whose oldest write has a version up to the one asked about. */
  readonly upTo: number
  /** The age of the oldest write that waits, ms; 0 where none does. */
  readonly oldestMs: number
}

export interface WriteCapabilities {
  /** Queues are seen by other processes. */
  readonly shared: boolean
}

export interface WriteProvider {
  /** Says where queues are kept: `redis`, `local`. */
  readonly name: string
  readonly capabilities: WriteCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /** As that of a lock provider. */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /** Whether the store keeps what nobody removes, also when it is full; `undefined` where it does not say. */
  keepsAll(): Promise<boolean | undefined>
  enqueue(queue: string, request: EnqueueRequest): Promise<EnqueueReply>
  /** What waits under some keys, in order. */
  waiting(queue: string, keys: readonly string[]): Promise<readonly (WaitingWrite | undefined)[]>
  /** Holds the queue, or goes on holding it, and takes what is due. What was taken is taken again until a step below ends it. */
  take(queue: string, request: TakeRequest): Promise<TakeReply>
  renew(queue: string, hold: QueueHold, holdMs: number): Promise<StepReply>
  /** Removes what was written, where it is still the version that was taken. */
  acknowledge(queue: string, hold: QueueHold, written: readonly WrittenKey[]): Promise<StepReply>
  /** Makes keys due again, so many ms from now. */
  postpone(queue: string, hold: QueueHold, request: PostponeRequest): Promise<StepReply>
  /** Makes a write a dead letter. */
  bury(queue: string, hold: QueueHold, request: BuryRequest): Promise<BuryReply>
  /** Ends a hold. */
  release(queue: string, hold: QueueHold): Promise<void>
  /** Makes what waits due now: all of it that was not postponed, or that of some keys. Returns the version of the last write. */
  hurry(queue: string, keys: readonly string[] | undefined): Promise<number>
  /** `version`: what `upTo` of the reply is about. */
  state(queue: string, version: number): Promise<QueueState>
  /** The dead letters, the oldest first. */
  buried(queue: string, skip: number, take: number): Promise<readonly BuriedWrite[]>
  /** Puts a dead letter back into the queue, as the newest write of its key. */
  replay(queue: string, id: string, isForced: boolean): Promise<ReplayReply>
  /** Removes a dead letter; false where there is none. */
  discard(queue: string, id: string): Promise<boolean>
  close(): Promise<void>
}
