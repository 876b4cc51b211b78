/** Sums of what the events of the store said one by one, and since when its bus and coherence are as they are. */

import type { Emitter } from '../events/emitter.ts'
import type { CacheEvents } from '../events/events.ts'

/** Messages of other nodes that did not come, or that the store said it had lost. They only grow. */
export interface BusGaps {
  /** Noticed in what was heard. */
  readonly gap: number
  /** Noticed in what the store said. */
  readonly behind: number
  readonly 'history-lost': number
  /** Of all of these, those that the store's log could not close: entries were compared with the store one by one. */
  readonly unrecovered: number
}

/** Calls to the store, and to the providers of limits. They only grow. */
export interface StoreCalls {
  readonly failed: number
  /** Not tried, because a circuit breaker was open. */
  readonly skipped: number
}

export class StoreTallies {
  readonly #gaps = { gap: 0, behind: 0, 'history-lost': 0, unrecovered: 0 }
  readonly #calls = { failed: 0, skipped: 0 }
  #coherence:
    | { readonly state: CacheEvents['coherence']['state']; readonly since: Date }
    | undefined
  #busSince: Date | undefined

  constructor(events: Emitter) {
    events.on('bus-gap', ({ reason, recovered }) => {
      this.#gaps[reason] += 1
      if (!recovered) this.#gaps.unrecovered += 1
    })
    events.on('store-error', ({ skipped }) => {
      this.#calls[skipped ? 'skipped' : 'failed'] += 1
    })
    events.on('coherence', ({ state }) => {
      this.#coherence = { state, since: new Date() }
    })
    events.on('bus', () => {
      this.#busSince = new Date()
    })
  }

  get gaps(): BusGaps {
    return { ...this.#gaps }
  }

  get calls(): StoreCalls {
    return { ...this.#calls }
  }

  /** When coherence was last said to be in this state, unless it was said to be in another one since. */
  coherenceSince(state: string): Date | undefined {
    return this.#coherence?.state === state ? this.#coherence.since : undefined
  }

  /** When the bus was last said to be up, or down. */
  get busSince(): Date | undefined {
    return this.#busSince
  }
}
