/** A node's end of a memory server's publish/subscribe. */

import type { Bus, BusListener, BusMessage } from '../../contracts/bus.ts'
import type { NodeLink } from './node-link.ts'

export class MemoryBus implements Bus {
  readonly name = 'memory'
  readonly #link: NodeLink
  readonly #carry: (namespace: string, message: BusMessage) => void
  #namespace: string | undefined

  /** `carry` hands a message to everybody who is subscribed at this moment. */
  constructor(link: NodeLink, carry: (namespace: string, message: BusMessage) => void) {
    this.#link = link
    this.#carry = carry
  }

  subscribe(namespace: string, listener: BusListener): void {
    this.#namespace = namespace
    this.#link.subscribe(namespace, listener)
  }

  async publish(message: BusMessage): Promise<void> {
    const namespace = this.#namespace
    if (namespace === undefined) throw new Error('The bus is not subscribed')
    await this.#link.request('publish', () => this.#carry(namespace, message))
  }

  async close(): Promise<void> {
    this.#link.unsubscribe()
  }
}
