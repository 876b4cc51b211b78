/**
 * The messages that a consumer has, and the timer that says so.
 *
 * The store measures how long a consumer was silent about a message from its delivery on, whether its handler has begun or not. So one timer
 * speaks up for all of them, three times in the time after which they would be taken away.
 */

import type { CancelTimer, Clock, StreamEntry } from '@larder/core/store'
import type { HeldMessage } from './delivery.ts'

export interface HeldMessagesParts {
  readonly clock: Clock
  readonly visibilityMs: number
  /** Says that these are ours; replies those that are not. */
  keep(entries: readonly string[]): Promise<readonly string[]>
  /** Another consumer has it. */
  onLost(held: HeldMessage): void
}

const TIMES = 3
/** How soon it is said again when the store did not answer, ms. */
const AGAIN_MS = 500

export class HeldMessages {
  readonly #parts: HeldMessagesParts
  readonly #held = new Map<string, HeldMessage>()
  #cancel: CancelTimer | undefined
  #waiting: (() => void)[] = []

  constructor(parts: HeldMessagesParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#held.size
  }

  get entries(): readonly string[] {
    return [...this.#held.keys()]
  }

  get all(): readonly HeldMessage[] {
    return [...this.#held.values()]
  }

  has(held: HeldMessage): boolean {
    return this.#held.get(held.entry.entry) === held
  }

  /** Takes a message; `undefined` for one that is here already. */
  take(entry: StreamEntry): HeldMessage | undefined {
    if (this.#held.has(entry.entry)) return undefined
    const flags = { isLost: false, isAborted: false, isGivenUp: false, waitsForClose: false }
    const held: HeldMessage = { entry, abort: new AbortController(), ...flags }
    this.#held.set(entry.entry, held)
    if (this.#cancel === undefined) this.#arm()
    return held
  }

  drop({ entry }: HeldMessage): void {
    this.#held.delete(entry.entry)
    if (this.#held.size === 0) this.#disarm()
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  /** Resolves when a message was dropped. */
  dropped(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when none is left. */
  async ended(): Promise<void> {
    while (this.#held.size > 0) await this.dropped()
  }

  #arm(isHeard = true): void {
    const { clock, visibilityMs } = this.#parts
    const everyMs = visibilityMs / TIMES
    const pauseMs = isHeard ? everyMs : Math.min(everyMs, AGAIN_MS)
    this.#cancel = clock.schedule(pauseMs, () => void this.#speakUp(), 'background')
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  async #speakUp(): Promise<void> {
    let isHeard = false
    try {
      const asked = this.entries
      const lost = new Set(asked.length === 0 ? [] : await this.#parts.keep(asked))
      for (const entry of lost) this.#lose(entry)
      isHeard = true
    } catch {
      // The store told its event. It may be that only this process cannot reach it, so it does not wait as long as usual.
    }
    if (this.#held.size > 0) this.#arm(isHeard)
    else this.#cancel = undefined
  }

  #lose(entry: string): void {
    const held = this.#held.get(entry)
    // It may have come to its end meanwhile.
    if (held === undefined || held.isLost || held.isGivenUp) return
    held.isLost = true
    this.#parts.onLost(held)
    held.abort.abort(
      new Error('Another consumer has the message: this one was silent for too long'),
    )
  }
}
