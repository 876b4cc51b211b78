/** What the application wrote, and of which writes it knows that the caches were told. */

import type { SimNode } from './sim-node.ts'

/** One row that was written. */
export interface Write {
  readonly key: string
  readonly version: number
  readonly node: SimNode
  /** True once the eviction or put that belongs to it has returned. */
  isAcknowledged: boolean
}

export class WriteRecord {
  readonly #writes: Write[] = []

  /** Notes a write whose eviction or put is still to come. */
  note(key: string, version: number, node: SimNode): Write {
    const write = { key, version, node, isAcknowledged: false }
    this.#writes.push(write)
    return write
  }

  /**
   * The oldest version of a row that may be read at rest: the latest whose writer went on. Of a writer that died nothing is
   * required: it may have died before it told the cache, or with what waited in its recovery queue.
   */
  requiredVersion(key: string): number {
    let required = 1
    for (const write of this.#writes) {
      const counts = write.key === key && write.isAcknowledged && write.node.isAlive
      if (counts) required = Math.max(required, write.version)
    }
    return required
  }
}
