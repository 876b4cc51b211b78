/** The channel that tells nodes what was invalidated. Delivery is hoped for; loss is detected by the engine. */

/** Keys of one partition were evicted or replaced. */
export interface KeysMessage {
  readonly kind: 'keys'
  readonly partition: number
  /** Sequence number before the change: a receiver that is not there has missed something. */
  readonly previous: number
  readonly seq: number
  readonly keys: readonly string[]
  /** They were evicted softly: local copies may stay for when loads fail. Absent: no. */
  readonly soft?: boolean | undefined
  /** They were evicted with a settle window of so many ms from now. Absent: without one. */
  readonly settleMs?: number | undefined
}

/** Tags were invalidated, or the floor was raised. */
export interface TagsMessage {
  readonly kind: 'tags'
  /** Tag clock before the change. */
  readonly previous: number
  /** The version every listed tag has now, and the new tag clock. */
  readonly version: number
  /** Entries born before this are invalid. */
  readonly floor: number
  readonly tags: readonly string[]
}

/** A lease that somebody waits for ended: filled, released or voided. Never sent when nobody waits. */
export interface WakeMessage {
  readonly kind: 'wake'
  readonly key: string
}

/**
 * The sender was asked to evict these and the store refused, so the store still has them: whoever keeps copies must not
 * believe them, nor the store's. What is left out is not in doubt. It moves no sequence number, and a receiver that does
 * not know it loses nothing but time.
 */
export interface DoubtMessage {
  readonly kind: 'doubt'
  readonly keys: readonly string[]
  /** As the tag clock names them; a sender with very many keys names the tags of their partitions instead. */
  readonly tags: readonly string[]
  /** The keys were to be evicted softly: copies may stay for when loads fail. Absent: no. Tags say it by their names. */
  readonly soft?: boolean | undefined
  /** Said before: who heard it then goes on doubting, and keeps what it has loaded since. */
  readonly isRepeated: boolean
  /**
   * A number that a node has drawn for itself, by which it knows its own words when they come back. Whole, up to 2^48.
   * Absent: nobody takes them for its own, which costs values that wait for the store.
   */
  readonly sender?: number | undefined
}

export type BusMessage = KeysMessage | TagsMessage | WakeMessage | DoubtMessage

/** How a bus reports to the engine. None of these may throw. */
export interface BusListener {
  onMessage(message: BusMessage): void
  /**
   * The subscription stands (again), and the store can be asked; anything may have been missed before. Also when the store
   * turned out to be another one than before, with messages of its own.
   */
  onUp(): void
  /** Something else (a reconnect, a failover, a new topology) suggests that the store should be asked again at once. */
  onDoubt(): void
  /** The subscription is known to be gone. */
  onDown(reason: unknown): void
  /** Something arrived that is no message. */
  onGarbage(reason: unknown): void
}

/**
 * Delivers messages of one namespace *of one store* to this node, including the node's own. Where several stores share what
 * carries the messages (databases of one server, a mirror, servers behind one proxy), each hears its own only: numbers of
 * another history would read as a loss of this one.
 */
export interface Bus {
  readonly name: string
  /** Starts delivery and keeps trying; never throws and never rejects because the other side is away. */
  subscribe(namespace: string, listener: BusListener): void
  /**
   * Sends a message: of a store that cannot publish inside its own mutations, or a doubt, for which no mutation is needed.
   *
   * @throws when it was not handed over; whether anybody heard it is not known
   */
  publish?(message: BusMessage): Promise<void>
  close(): Promise<void>
}
