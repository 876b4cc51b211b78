/** A node's end of a memory server's publish/subscribe. */

import type { Bus, BusListener } from '../../contracts/bus.ts'
import type { NodeLink } from './node-link.ts'

export class MemoryBus implements Bus {
  readonly name = 'memory'
  readonly #link: NodeLink

  constructor(link: NodeLink) {
    this.#link = link
  }

  subscribe(namespace: string, listener: BusListener): void {
    this.#link.subscribe(namespace, listener)
  }

  async close(): Promise<void> {
    this.#link.unsubscribe()
  }
}
