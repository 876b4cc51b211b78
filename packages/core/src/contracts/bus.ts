/** The channel that tells nodes what was invalidated. Messages may be lost; the engine detects that. */

/** Keys of one partition were evicted or replaced. */
export interface KeysMessage {
  readonly kind: 'keys'
  readonly partition: number
  /** Sequence number before the change: a receiver that knows a lower one has missed a message. */
  readonly previous: number
  readonly seq: number
  readonly keys: readonly string[]
  /** They were evicted softly: local copies may stay for failed loads. Absent: false. */
  readonly soft?: boolean | undefined
  /** They were evicted with a settle window of so many ms from now. Absent: without one. */
  readonly settleMs?: number | undefined
}

/** Tags were invalidated, or the floor was raised. */
export interface TagsMessage {
  readonly kind: 'tags'
  /** Tag clock before the change. */
  readonly previous: number
  /** The new version of every listed tag, and the new tag clock. */
  readonly version: number
  /** Entries born before this are invalid. */
  readonly floor: number
  readonly tags: readonly string[]
}

/** A lease that a caller waits for has ended: filled, released or voided. Only sent when a caller waits. */
export interface WakeMessage {
  readonly kind: 'wake'
  readonly key: string
}

/**
 * The sender was asked to evict these and the store refused, so the store still has them: a node that keeps copies must not
 * serve them, nor the store's. Keys and tags that are left out are not in doubt. The message does not move a sequence number, and
 * a receiver that does not know this kind only loses time.
 */
export interface DoubtMessage {
  readonly kind: 'doubt'
  readonly keys: readonly string[]
  /** With the names of the tag clock; a sender with very many keys names the tags of their partitions instead. */
  readonly tags: readonly string[]
  /** The keys were to be evicted softly: copies may stay for failed loads. Absent: false. For tags, their names tell. */
  readonly soft?: boolean | undefined
  /** Sent before: a node that heard it then continues to doubt, and keeps what it has loaded since. */
  readonly isRepeated: boolean
  /**
   * A number that a node has drawn for itself, by which it knows its own words when they come back. Whole, up to 2^48.
   * Absent: nobody takes them for its own, which costs values that wait for the store.
   */
  readonly sender?: number | undefined
}

export type BusMessage = KeysMessage | TagsMessage | WakeMessage | DoubtMessage

/** How a bus reports to the engine. None of these methods may throw. */
export interface BusListener {
  onMessage(message: BusMessage): void
  /**
   * The subscription stands (again), and the store can be asked; any message may have been missed before. Also called when the
   * store turned out to be another one than before, with its own messages.
   */
  onUp(): void
  /** Something else (a reconnect, a failover, a new topology) suggests asking the store again at once. */
  onDoubt(): void
  /** The subscription is known to have ended. */
  onDown(reason: unknown): void
  /** Something arrived that is not a message. */
  onGarbage(reason: unknown): void
}

/**
 * Delivers messages of one namespace *of one store* to this node, including the node's own messages. Where several stores share
 * the channel of the messages (databases of one server, a mirror, servers behind one proxy), each must only get its own: numbers
 * of another history would look like a loss of this one.
 */
export interface Bus {
  readonly name: string
  /** Starts delivery and keeps trying; never throws or rejects because the other side is away. */
  subscribe(namespace: string, listener: BusListener): void
  /**
   * Sends a message of a store that cannot publish inside its own mutations, or a doubt, which needs no mutation.
   *
   * @throws when it was not sent; whether another node received it is not known
   */
  publish?(message: BusMessage): Promise<void>
  close(): Promise<void>
}
