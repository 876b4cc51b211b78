/**
 * What fleet statistics ask of a store: to keep the last heartbeat of each node for a while, and to hand out all of them.
 *
 * A heartbeat is text that only the nodes understand. How old it is and when it ends is measured by the store's own clock; the
 * clocks of the nodes decide nothing. Every method may reject at any time; the caller bounds it with its own deadline.
 */

/** What a node says of itself, in place of what it said before. */
export interface Heartbeat {
  /** Random, and new with every manager. */
  readonly node: string
  readonly report: string
  /** How long it is kept from now, ms: a whole number from 1 to `LONGEST_HEARTBEAT_MS`. */
  readonly livesMs: number
}

/** A heartbeat that is kept. */
export interface KeptHeartbeat {
  readonly node: string
  readonly report: string
  /** How long ago the store got it, ms. */
  readonly ageMs: number
  /** How long it is kept from now unless the node sends another one, ms. */
  readonly leftMs: number
}

/** The heartbeats of a namespace, at one moment of the store's clock. */
export interface KeptHeartbeats {
  /** The store's clock, ms since the epoch. */
  readonly nowMs: number
  readonly heartbeats: readonly KeptHeartbeat[]
}

/** No heartbeat is kept for longer, ms. */
export const LONGEST_HEARTBEAT_MS = 180_000

/** A store keeps the heartbeats of so many nodes of a namespace. */
export const MOST_NODES = 1_000

export interface FleetCapabilities {
  /** Nodes in other processes are seen. */
  readonly shared: boolean
}

export interface FleetProvider {
  /** `redis`, `local`. */
  readonly name: string
  readonly capabilities: FleetCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /**
   * Keeps a heartbeat in place of the node's last one, and forgets those whose time is over. One atomic step.
   *
   * @returns false when nothing was kept, because `MOST_NODES` others are kept already
   */
  beat(heartbeat: Heartbeat): Promise<boolean>
  /** Forgets a node at once; nothing happens when it is not known. */
  leave(node: string): Promise<void>
  /** All heartbeats whose time is not over, in no order. Changes nothing. */
  list(): Promise<KeptHeartbeats>
  close(): Promise<void>
}
