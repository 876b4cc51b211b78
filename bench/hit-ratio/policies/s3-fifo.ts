/** S3-FIFO: a cache that holds what its queues hold. */

import type { Key, Policy, PolicyCache } from './policy.ts'
import { type Queued, S3Queues } from './s3-queues.ts'

export const s3Fifo: Policy = { name: 'S3-FIFO', create: (capacity) => new S3Fifo(capacity) }

interface Entry extends Queued<Entry> {
  readonly value: object
}

class S3Fifo implements PolicyCache {
  readonly #entries = new Map<Key, Entry>()
  readonly #queues: S3Queues<Entry>

  constructor(capacity: number) {
    this.#queues = new S3Queues(capacity, ({ key }) => this.#entries.delete(key))
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Key): object | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#queues.use(entry)
    return entry.value
  }

  set(key: Key, value: object): void {
    const entry: Entry = {
      key,
      value,
      uses: 0,
      queue: undefined,
      newer: undefined,
      older: undefined,
    }
    this.#queues.add(entry)
    this.#entries.set(key, entry)
  }
}
