/**
 * Sends a node's heartbeats, and asks for those of all nodes.
 *
 * Statistics are worth less than anything else that a manager does. A heartbeat that fails is not repeated, no event tells of
 * it, and nothing waits for it: the next one says everything again, because counters are sums since the start. Closing waits for
 * half a second at most until the node has left; one that does not get that far is forgotten when its time is over.
 */

import { randomBytes } from 'node:crypto'
import type { CancelTimer, Clock } from '../contracts/clock.ts'
import { type FleetProvider, MOST_NODES } from '../contracts/fleet-provider.ts'
import { type CallBounds, GuardedCalls } from '../guard/guarded-calls.ts'
import { type Fleet, fleetOf } from './fleet.ts'
import type { ResolvedFleetOptions } from './fleet-options.ts'

const BEAT: CallBounds = { operation: 'fleet.beat', timeoutMs: 1_000, waiter: 'background' }
const LEAVE: CallBounds = { operation: 'fleet.leave', timeoutMs: 500, waiter: 'caller' }
/** A person, or a page that is shown to one, waits for it. */
const LIST: CallBounds = { operation: 'fleet.list', timeoutMs: 2_000, waiter: 'caller' }
/** A node is kept for so many times the time between two heartbeats. */
const LIVES = 3
/** Nodes that were started together do not stay in step. */
const JITTER = 0.1
const ID_BYTES = 9

export interface FleetParts {
  readonly namespace: string
  readonly provider: FleetProvider
  readonly clock: Clock
  /** What this node says of itself now. */
  readonly report: () => string
  /** Called once when the store keeps as many nodes as it may, and not this one. */
  readonly onFull: (message: string) => void
}

export class FleetCalls {
  readonly #parts: FleetParts
  readonly #calls: GuardedCalls
  readonly #id = randomBytes(ID_BYTES).toString('base64url')
  #cancel: CancelTimer | undefined
  /** True from the first heartbeat that may have been kept, until the node has left. */
  #mayBeKept = false
  /** The heartbeat that is under way; it never rejects. */
  #underWay: Promise<void> | undefined
  #isFull = false

  constructor(parts: FleetParts) {
    this.#parts = parts
    this.#calls = new GuardedCalls({ clock: parts.clock })
    parts.provider.open(parts.namespace)
  }

  /** Reports from now on. Not at once: what is being made is made first. */
  begin({ everyMs }: ResolvedFleetOptions): void {
    this.#next(0, everyMs)
  }

  /** @throws StoreTimeoutError; what the provider rejects with */
  async list(): Promise<Fleet> {
    const { provider } = this.#parts
    const kept = await this.#calls.insist(LIST, () => provider.list())
    return fleetOf(kept, this.#id)
  }

  /** Leaves, and sends nothing any more. Never rejects. */
  async close(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const { provider } = this.#parts
    if (this.#mayBeKept) {
      this.#mayBeKept = false
      // Behind a heartbeat that is under way, which would bring the node back. With an open breaker nothing is tried.
      const leave = async (): Promise<void> => {
        await this.#underWay
        await provider.leave(this.#id)
      }
      await this.#calls.ask(LEAVE, leave).catch(() => undefined)
    }
    this.#calls.close()
    await Promise.allSettled([Promise.resolve().then(() => provider.close())])
  }

  #next(delayMs: number, everyMs: number): void {
    const beat = (): void => {
      this.#next(everyMs * (1 - JITTER + 2 * JITTER * Math.random()), everyMs)
      this.#underWay ??= this.#beat(everyMs)
    }
    this.#cancel = this.#parts.clock.schedule(delayMs, beat, 'background')
  }

  async #beat(everyMs: number): Promise<void> {
    const { provider, report } = this.#parts
    try {
      const isKept = await this.#calls.ask(BEAT, () => {
        const heartbeat = { node: this.#id, report: report(), livesMs: everyMs * LIVES }
        this.#mayBeKept = true
        return provider.beat(heartbeat)
      })
      if (!isKept) this.#tellFull()
    } catch {
      // Deliberate: the next one says everything again.
    } finally {
      this.#underWay = undefined
    }
  }

  #tellFull(): void {
    if (this.#isFull) return
    this.#isFull = true
    const { namespace, onFull } = this.#parts
    onFull(
      `Larder (${namespace}): ${MOST_NODES} nodes report already, which is as many as are kept. This one is not shown.`,
    )
  }
}
