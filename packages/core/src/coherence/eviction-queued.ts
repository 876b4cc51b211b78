/** The store could not be reached: what was to be evicted holds on this node and waits in the recovery queue. */

/** Internal. Everything else that an eviction throws is a mistake or the end of the manager, and none of the store's. */
export class EvictionQueued extends Error {
  constructor(cause: unknown) {
    super('An eviction waits in the recovery queue', { cause })
  }
}
