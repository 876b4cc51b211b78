/**
 * What event stores ask of a store: streams of events that only grow, each with versions 1, 2, 3 without a gap, and a log for each
 * partition with the order of all its events.
 *
 * A partition is on one server, so each step is atomic. There is no order between partitions. Versions and positions are whole numbers up
 * to 2^53 - 1. Every method may reject at any time; the caller bounds it with its own deadline and ignores late replies. What concerns
 * one stream only is rejected with a `StoreKeyError`.
 */

/** One partition of one event store. */
export interface EventPlace {
  /** The event store. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly store: string
  /** From 0. */
  readonly partition: number
}

/** At which version a stream must be: any; `none`: it has no event; `exists`: it has one; or its last version, where 0 is `none`. */
export type ExpectedVersion = 'any' | 'none' | 'exists' | number

export interface NewEvent {
  /** The number that the application gave to the form of the event. */
  readonly schema: number
  readonly bytes: Uint8Array
}

export interface EventAppend {
  /** Any text, not empty. */
  readonly stream: string
  readonly expected: ExpectedVersion
  /** Added in this order, all or none. Empty: only the version is compared. */
  readonly events: readonly NewEvent[]
  /** An append of the same id to the same stream was made already: it is answered again. A digest; absent: none. */
  readonly id?: string | undefined
  /** How long an id is remembered, ms. */
  readonly idMs: number
  /** Tells these events from others that get their positions once the store has lost these. Random, 1 to 64 of `A-Z a-z 0-9 _ -`. */
  readonly mark: string
  /** The answer comes when the events are on the disk of the server. Rejects where that cannot be had. */
  readonly isDurable: boolean
}

export interface EventAppendReply {
  /** `duplicate`: the id was known, and nothing was added now. `conflict`: the stream is at another version than expected. */
  readonly outcome: 'appended' | 'duplicate' | 'conflict'
  /** The last version of the stream: after the append, after the first one of this id, or as it was found. */
  readonly version: number
}

export interface KeptEvent extends NewEvent {
  readonly stream: string
  /** From 1. */
  readonly version: number
  /** Where it is in the log of its partition. From 1. */
  readonly position: number
  /** When it was appended by the store's clock, ms since the epoch. Orders nothing. */
  readonly at: number
}

/** A place in a log, and which event is there. A mark that is empty, or whose event somebody removed, is not compared. */
export interface LogPosition {
  /** From 1; 0 is in front of all events. */
  readonly position: number
  readonly mark: string
}

/** Which events of a stream; both ends are included. */
export interface EventRange {
  readonly from: number
  readonly to: number
  /** From `to` down to `from`. */
  readonly isBackwards: boolean
  /** At most so many. From 1. */
  readonly count: number
  /** About so many bytes at most, and one event at least. */
  readonly bytes: number
}

export interface EventLogRange {
  /** Events behind this position. */
  readonly after: number
  /** Of the event at `after`. Empty when it is not known. */
  readonly mark: string
  readonly count: number
  readonly bytes: number
}

export interface LoggedEvent extends KeptEvent {
  readonly mark: string
}

export interface EventLogPage {
  readonly events: readonly LoggedEvent[]
  /** Up to here the log was looked at; `after` when there was nothing. */
  readonly until: number
  /** Of the event at `until`, as far as it is known. */
  readonly mark: string
  /** Whether the log has the event that is said to be at `after`. If not, it has lost events (a failover, a backup), and none are replied. */
  readonly isContinued: boolean
  /** The last position of the log. */
  readonly last: number
}

/** Who projects a partition, for how long without a sign of life. */
export interface ProjectionClaim {
  readonly projection: string
  /** Unique to the projector. */
  readonly owner: string
  readonly leaseMs: number
}

/**
 * `taken`: the owner's turn, with the fence of the turn and the place that was saved last; `isRewound`: it was beyond what
 * the log has, so that all begins anew. `held`: somebody else's for so long. Fences rise, also when the store has lost the last one.
 */
export type ProjectionTurn =
  | ({ readonly kind: 'taken'; readonly fence: number; readonly isRewound: boolean } & LogPosition)
  | { readonly kind: 'held'; readonly leftMs: number }

/** What was saved never goes back: a smaller position only renews the lease. */
export interface ProjectionSave extends ProjectionClaim, LogPosition {
  readonly fence: number
  /** The turn ends with this. */
  readonly isLast: boolean
}

/** `lost`: the turn is somebody else's by now. `rewound`: the log does not have that event any more. Nothing was saved then. */
export type ProjectionSaved = 'saved' | 'lost' | 'rewound'

export interface EventStoreCapabilities {
  /** Events are seen by other processes. */
  readonly shared: boolean
}

export interface EventStoreProvider {
  /** Says where events are kept: `redis`, `local`. */
  readonly name: string
  readonly capabilities: EventStoreCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /** As that of a lock provider. */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /** Keeps how many partitions a store has, the first time; replies what is kept. */
  partitions(store: string, wanted: number): Promise<number>
  append(place: EventPlace, append: EventAppend): Promise<EventAppendReply>
  /** Reads a part of a stream, in order. Fewer than asked for do not mean that there are no more; none do. */
  read(place: EventPlace, stream: string, range: EventRange): Promise<readonly KeptEvent[]>
  readLog(place: EventPlace, range: EventLogRange): Promise<EventLogPage>
  /** Takes the turn to project a partition; a turn that is held already is renewed. */
  take(place: EventPlace, claim: ProjectionClaim): Promise<ProjectionTurn>
  /** Saves how far it has come, and renews the lease. */
  save(place: EventPlace, save: ProjectionSave): Promise<ProjectionSaved>
  close(): Promise<void>
}
