/** The store's clock as seen from here: ages entries that other nodes wrote, and orders nothing (I8). */

export class ServerClock {
  #offset = Number.NaN

  /** Learns from a reply that carried the store's time; the truth lies between sending and receiving. */
  note(nowMs: number, sentAt: number, receivedAt: number): void {
    this.#offset = nowMs - (sentAt + receivedAt) / 2
  }

  /** True once any reply has been seen. */
  get isKnown(): boolean {
    return !Number.isNaN(this.#offset)
  }

  /** Converts an instant of the store's clock to this node's monotonic clock. */
  toLocal(serverAt: number): number {
    return serverAt - this.#offset
  }
}
