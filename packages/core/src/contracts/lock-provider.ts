/**
 * What the lock logic asks of a store: atomic steps over one named lock, idempotent by owner.
 *
 * A lock has holders, each with a lease that ends on the store's own clock, and a queue of waiters, each with a sign of
 * life. Every method may reject at any time; the caller bounds it with its own deadline and never believes a late reply. What
 * concerns one lock only (something else is kept under its key, too few replicas have it) is rejected with a `StoreKeyError`,
 * and other locks are not to notice.
 */

/** `write` holds alone; any number of `read`s hold together; `permit`s while their weights fit into what the lock has. */
export type LockMode = 'write' | 'read' | 'permit'

/** One attempt to hold one lock. */
export interface LockTarget {
  readonly name: string
  readonly mode: LockMode
  /** Unique, and new with every attempt: whose reply gets lost can ask again without harm. */
  readonly owner: string
  /** How many of the permits it is about, in mode `permit`; not looked at in the others. 1 if left out. */
  readonly weight?: number | undefined
}

/** How many replicas must have the grant before it counts. */
export interface LockReplicas {
  readonly min: number
  readonly timeoutMs: number
}

export interface AcquireRequest extends LockTarget {
  /** What the weights of all holders may add up to in mode `permit`; not looked at in the others. */
  readonly permits: number
  readonly leaseMs: number
  /** A waiter shows itself at least this often, and is dropped after twice as long. 0: do not wait in line. */
  readonly heartbeatMs: number
  readonly replicas: LockReplicas | undefined
}

export type AcquireReply =
  /** Fences of successive grants of one lock strictly increase, even where the store lost its memory in between. */
  | { readonly kind: 'granted'; readonly fence: number }
  /** `retryInMs`: when asking again makes sense at the latest; a wake-up may come before. */
  | { readonly kind: 'held'; readonly retryInMs: number; readonly position: number }

/** A lock as it stands; for people and tests, never to decide by. */
export interface LockState {
  readonly holders: readonly { readonly owner: string; readonly remainingMs: number }[]
  /** The last fence granted; 0 when the store knows of none. */
  readonly fence: number
  readonly waiting: number
}

/** What a provider can promise. */
export interface LockCapabilities {
  /** Holders in other processes are seen. */
  readonly shared: boolean
  /** Waiters are served in order. */
  readonly queues: boolean
  /** `replicas` is honoured. */
  readonly replicas: boolean
  readonly modes: readonly LockMode[]
  /** `weight` is honoured. No, if left out. */
  readonly weights?: boolean
}

/** Called with an owner that may have come to its turn; with nothing when anybody may have. */
export type WakeListener = (owner?: string) => void

export interface LockProvider {
  /** Says who granted: `redis`, `local`. */
  readonly name: string
  readonly capabilities: LockCapabilities
  /** Called before any other method, perhaps several times; connects lazily and never throws because the other side is away. */
  open(namespace: string): void
  /**
   * Begins to connect, after `open`, and resolves when the first attempt has ended, well or badly; at once when it has.
   * Until then a failure says nothing about the other side: a process that starts is slow. Never rejects; bound it.
   */
  whenTried?(): Promise<void>
  /** Has a listener told, once of each, what keeps the store from being used as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /** Grants, or says held, and then queues the owner if it waits. An owner that holds already gets its lease prolonged. */
  acquire(request: AcquireRequest): Promise<AcquireReply>
  /** Has the lease last for at least `leaseMs` from now, and never for less than before; false when it has ended. */
  renew(target: LockTarget, leaseMs: number): Promise<boolean>
  /** Ends the lease and wakes who is next; false when it had ended. */
  release(target: LockTarget): Promise<boolean>
  /** Leaves the queue, and releases what may have been granted without the caller learning of it. */
  leave(target: LockTarget): Promise<void>
  inspect(name: string): Promise<LockState>
  /** Raises the last fence to at least `fence` while the owner holds; for quorums. */
  raise?(target: LockTarget, fence: number): Promise<boolean>
  /** Wake-ups make waiting shorter; nothing may depend on them. One listener; the last one set is used. */
  onWake?: WakeListener | undefined
  close(): Promise<void>
}
