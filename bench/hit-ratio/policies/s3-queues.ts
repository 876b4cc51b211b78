/**
 * The queues of S3-FIFO: a small one that most newcomers do not outlive, a main one, and a memory of keys dropped lately.
 *
 * Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023, algorithm 1, with its
 * parameters: a tenth of the room for the small queue, as many remembered keys as the main queue has places.
 */

import { KeyMemory } from './key-memory.ts'
import type { Key } from './policy.ts'
import { type Linked, Queue } from './queue.ts'

export interface Queued<Self extends Linked<Self>> extends Linked<Self> {
  readonly key: Key
  uses: number
  /** Where it waits; undefined while it is in none. */
  queue: Queue<Self> | undefined
}

const SMALL_SHARE = 0.1
const MOST_USES = 3
/** Uses in the small queue above which an entry goes on to the main one. */
const USES_OF_A_PASSER_BY = 1

export class S3Queues<Entry extends Queued<Entry>> {
  readonly #capacity: number
  readonly #smallRoom: number
  readonly #mainRoom: number
  readonly #dropped: (entry: Entry) => void
  readonly #small = new Queue<Entry>()
  readonly #main = new Queue<Entry>()
  readonly #lately: KeyMemory

  constructor(capacity: number, dropped: (entry: Entry) => void) {
    this.#capacity = capacity
    this.#smallRoom = Math.max(1, Math.round(capacity * SMALL_SHARE))
    this.#mainRoom = capacity - this.#smallRoom
    this.#dropped = dropped
    this.#lately = new KeyMemory(this.#mainRoom)
  }

  /** A hit counts and moves nothing. */
  use(entry: Entry): void {
    if (entry.uses < MOST_USES) entry.uses += 1
  }

  /** Lets an entry in that is in no queue, and others out for it. */
  add(entry: Entry): void {
    const isBack = this.#lately.take(entry.key)
    while (this.#small.size + this.#main.size >= this.#capacity) this.#dropOne()
    entry.uses = 0
    this.#enter(entry, isBack ? this.#main : this.#small)
  }

  #dropOne(): void {
    if (this.#small.size >= this.#smallRoom || this.#main.size === 0) this.#dropFromSmall()
    else this.#dropFromMain()
  }

  #dropFromSmall(): void {
    for (let entry = this.#small.takeOldest(); entry; entry = this.#small.takeOldest()) {
      if (entry.uses <= USES_OF_A_PASSER_BY) {
        this.#lately.add(entry.key)
        this.#leave(entry)
        return
      }
      entry.uses = 0
      this.#enter(entry, this.#main)
      if (this.#main.size > this.#mainRoom) {
        this.#dropFromMain()
        return
      }
    }
  }

  #dropFromMain(): void {
    for (let entry = this.#main.takeOldest(); entry; entry = this.#main.takeOldest()) {
      if (entry.uses === 0) {
        this.#leave(entry)
        return
      }
      entry.uses -= 1
      this.#main.add(entry)
    }
  }

  #enter(entry: Entry, queue: Queue<Entry>): void {
    entry.queue = queue
    queue.add(entry)
  }

  #leave(entry: Entry): void {
    entry.queue = undefined
    this.#dropped(entry)
  }
}
