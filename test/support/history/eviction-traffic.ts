/** Reads and evictions on several nodes at once, each written into a history. */

import { setTimeout as delay } from 'node:timers/promises'
import type { EvictionHistory } from './eviction-history.ts'

/** One node of a cache under test. */
export interface TrafficNode {
  read(key: string): Promise<number>
  /** Resolves when the node says that the key is evicted. */
  evict(key: string): Promise<void>
}

/** What traffic tells of itself; an {@link EvictionHistory} takes it all. */
export type TrafficRecord = Pick<
  EvictionHistory,
  'write' | 'evicted' | 'read' | 'readAtRest' | 'took' | 'failed' | 'hung'
>

export interface TrafficOptions {
  /** Default 6. */
  readonly readersPerNode?: number
  /** One writer takes the nodes in turn; default 15 ms. */
  readonly writeEveryMs?: number
  /** A number in [0, 1); default `Math.random`. */
  readonly random?: () => number
  /** Which keys are written now; default all. */
  readonly written?: () => readonly string[]
}

/** The keys that traffic is about. */
export const TRAFFIC_KEYS: readonly string[] = Array.from({ length: 20 }, (_, i) => `k${i}`)
const READ_EVERY_MS = 2
const HUNG_AFTER_MS = 10_000

export class EvictionTraffic {
  readonly #nodes: readonly TrafficNode[]
  readonly #history: TrafficRecord
  readonly #readersPerNode: number
  readonly #writeEveryMs: number
  readonly #random: () => number
  readonly #written: () => readonly string[]
  #isOver = false
  #running: Promise<unknown> = Promise.resolve()

  constructor(nodes: readonly TrafficNode[], history: TrafficRecord, options: TrafficOptions = {}) {
    const { readersPerNode = 6, writeEveryMs = 15 } = options
    const { random = Math.random, written = () => TRAFFIC_KEYS } = options
    this.#nodes = nodes
    this.#history = history
    this.#readersPerNode = readersPerNode
    this.#writeEveryMs = writeEveryMs
    this.#random = random
    this.#written = written
  }

  /** How many keys there are. */
  get keys(): number {
    return TRAFFIC_KEYS.length
  }

  start(): void {
    const readers = this.#nodes.flatMap((node, index) =>
      Array.from({ length: this.#readersPerNode }, () => this.#read(node, index)),
    )
    this.#running = Promise.all([...readers, this.#write()])
  }

  /** Ends the traffic; resolves when the last call has ended, or has hung. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.race([this.#running, delay(HUNG_AFTER_MS, undefined, { ref: false })])
  }

  /** Reads every key on every node, once everything has healed. */
  async readAtRest(): Promise<void> {
    for (const node of this.#nodes) {
      for (const key of TRAFFIC_KEYS) {
        const version = await this.#bounded(node.read(key))
        if (version !== undefined) this.#history.readAtRest(key, version)
      }
    }
  }

  async #read(node: TrafficNode, index: number): Promise<void> {
    while (!this.#isOver) {
      const key = this.#anyOf(TRAFFIC_KEYS)
      const startedAt = performance.now()
      const version = await this.#bounded(node.read(key), startedAt)
      if (version !== undefined) this.#history.read(key, version, index, startedAt)
      await delay(READ_EVERY_MS)
    }
  }

  async #write(): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const key = this.#anyOf(this.#written())
      const version = this.#history.write(key)
      // Not waited for: an application that serves many does not stop writing because one eviction hangs.
      void this.#evict(n % this.#nodes.length, key, version)
      await delay(this.#writeEveryMs)
    }
  }

  async #evict(index: number, key: string, version: number): Promise<void> {
    const node = this.#nodes[index] as TrafficNode
    const isDone = await this.#bounded(node.evict(key).then(() => true))
    if (isDone === true) this.#history.evicted(key, version, index)
  }

  /** The outcome of a call, or `undefined` when it failed or hung; both are written down. */
  async #bounded<Result>(
    call: Promise<Result>,
    startedAt = performance.now(),
  ): Promise<Result | undefined> {
    const ending = new AbortController()
    const patience = delay(HUNG_AFTER_MS, 'hung' as const, { signal: ending.signal, ref: false })
    try {
      const outcome = await Promise.race([call, patience])
      this.#history.took(startedAt)
      if (outcome !== 'hung') return outcome
      this.#history.hung(startedAt)
    } catch {
      this.#history.failed(startedAt)
    } finally {
      ending.abort()
      patience.catch(() => undefined)
    }
    return undefined
  }

  #anyOf(keys: readonly string[]): string {
    return keys[Math.floor(this.#random() * keys.length)] ?? 'k0'
  }
}
