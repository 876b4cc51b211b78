/**
 * What the lock logic asks of a store: atomic steps over one named lock, idempotent by owner.
 *
 * A lock has holders and a queue of waiters. Each holder has a term, which ends on the store's own clock; each waiter gives signs
 * of life. Every method may reject at any time; the caller bounds it with its own deadline and ignores late replies. What
 * concerns one lock only (another kind of value under its key, too few replicas) is rejected with a `StoreKeyError`, and must
 * not affect other locks.
 */

/** `write` holds alone; any number of `read`s hold together; `permit`s while their weights fit into what the lock has. */
export type LockMode = 'write' | 'read' | 'permit'

/** One attempt to hold one lock. */
export interface LockTarget {
  readonly name: string
  readonly mode: LockMode
  /** Unique, and new with every attempt: a caller whose reply was lost can ask again without harm. */
  readonly owner: string
  /** How many of the permits it takes, in mode `permit`; ignored in the others. 1 if left out. */
  readonly weight?: number | undefined
}

/** How many replicas must have the grant before it counts. */
export interface LockReplicas {
  readonly min: number
  readonly timeoutMs: number
}

export interface AcquireRequest extends LockTarget {
  /** What the weights of all holders may add up to in mode `permit`; ignored in the others. */
  readonly permits: number
  readonly termMs: number
  /** A waiter shows itself at least this often, and is dropped after twice as long. 0: do not queue. */
  readonly heartbeatMs: number
  readonly replicas: LockReplicas | undefined
}

export type AcquireReply =
  /** Fences of successive grants of one lock strictly increase, even where the store lost its memory in between. */
  | { readonly kind: 'granted'; readonly fence: number }
  /** `retryInMs`: when asking again makes sense at the latest; a wake-up may come before. */
  | { readonly kind: 'held'; readonly retryInMs: number; readonly position: number }

/** The state of a lock; for people and tests, never for decisions. */
export interface LockState {
  readonly holders: readonly { readonly owner: string; readonly remainingMs: number }[]
  /** The last fence granted; 0 when the store knows none. */
  readonly fence: number
  readonly waiting: number
}

/** What a provider can promise. */
export interface LockCapabilities {
  /** Holders in other processes are seen. */
  readonly shared: boolean
  /** Waiters are served in order. Nothing in the engine depends on it; the conformance suite checks it where it is promised. */
  readonly queues: boolean
  /** `replicas` is honoured. */
  readonly replicas: boolean
  readonly modes: readonly LockMode[]
  /** `weight` is honoured. False if left out. */
  readonly weights?: boolean
}

/** Called with an owner whose turn may have come; with nothing when it may be anybody's. */
export type WakeListener = (owner?: string) => void

export interface LockProvider {
  /** Says who granted: `redis`, `local`. */
  readonly name: string
  readonly capabilities: LockCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /**
   * Begins to connect, after `open`, and resolves when the first attempt has ended, well or badly; at once when it has ended.
   * Until then a failure says nothing about the other side, because a process that starts is slow. Never rejects; bound it.
   */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /** Grants, or says held, and then queues the owner if it waits. An owner that holds it already gets a new term. */
  acquire(request: AcquireRequest): Promise<AcquireReply>
  /** Makes the term last for at least `termMs` from now, and never shorter than before; false when it has ended. */
  renew(target: LockTarget, termMs: number): Promise<boolean>
  /** Ends the hold and wakes the next waiter; false when it had ended. */
  release(target: LockTarget): Promise<boolean>
  /** Leaves the queue, and releases what may have been granted without the caller knowing. */
  leave(target: LockTarget): Promise<void>
  inspect(name: string): Promise<LockState>
  /** Raises the last fence to at least `fence` while the owner holds; for quorums. */
  raise?(target: LockTarget, fence: number): Promise<boolean>
  /** Wake-ups make waiting shorter; nothing may depend on them. One listener: the last one set is used. */
  onWake?: WakeListener | undefined
  close(): Promise<void>
}
