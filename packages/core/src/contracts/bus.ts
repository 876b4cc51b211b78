/** The channel that tells nodes what was invalidated. Delivery is hoped for; loss is detected by the engine. */

/** Keys of one partition were evicted or replaced. */
export interface KeysMessage {
  readonly kind: 'keys'
  readonly partition: number
  /** Sequence number before the change: a receiver that is not there has missed something. */
  readonly previous: number
  readonly seq: number
  readonly keys: readonly string[]
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

export type BusMessage = KeysMessage | TagsMessage | WakeMessage

/** How a bus reports to the engine. None of these may throw. */
export interface BusListener {
  onMessage(message: BusMessage): void
  /** The subscription stands (again); anything may have been missed before. */
  onUp(): void
  /** Something else (a reconnect, a failover, a new topology) suggests that the store should be asked again at once. */
  onDoubt(): void
  /** The subscription is known to be gone. */
  onDown(reason: unknown): void
  /** Something arrived that is no message. */
  onGarbage(reason: unknown): void
}

/** Delivers messages of one namespace to this node, including the node's own. */
export interface Bus {
  readonly name: string
  /** Starts delivery and keeps trying; never throws and never rejects because the other side is away. */
  subscribe(namespace: string, listener: BusListener): void
  /** Sends a message, for stores that cannot publish inside their own mutations. */
  publish?(message: BusMessage): Promise<void>
  close(): Promise<void>
}
