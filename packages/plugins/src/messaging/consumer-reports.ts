/** What a consumer tells: events of the manager, and its own counters. */

import type { StreamEntry, StreamGroup, StreamParts } from '@larder/core/store'
import { type DeliveryEnd, type DeliveryOutcome, idIn } from './delivery.ts'

/** What a consumer has done since it began. */
export interface ConsumerStats {
  readonly handled: number
  /** Had been handled before, and were not again. */
  readonly duplicates: number
  /** Will be delivered again. */
  readonly retries: number
  readonly deadLetters: number
  /** Given up without a dead letter. */
  readonly dropped: number
  readonly handedBack: number
  /** Became another consumer's. */
  readonly lost: number
  /** Were trimmed before they were handled. */
  readonly gone: number
  /** Messages that it has now. */
  readonly running: number
}

const COUNTERS: Readonly<Record<DeliveryOutcome, Exclude<keyof ConsumerStats, 'running'>>> = {
  handled: 'handled',
  duplicate: 'duplicates',
  retry: 'retries',
  'dead-letter': 'deadLetters',
  dropped: 'dropped',
  'handed-back': 'handedBack',
  lost: 'lost',
  gone: 'gone',
}

export class ConsumerReports {
  readonly #events: StreamParts['events']
  readonly #group: StreamGroup
  readonly #counts = {
    handled: 0,
    duplicates: 0,
    retries: 0,
    deadLetters: 0,
    dropped: 0,
    handedBack: 0,
    lost: 0,
    gone: 0,
  }

  constructor(events: StreamParts['events'], group: StreamGroup) {
    this.#events = events
    this.#group = group
  }

  stats(running: number): ConsumerStats {
    return { ...this.#counts, running }
  }

  ended(entry: StreamEntry, { outcome, error, id }: DeliveryEnd, durationMs: number): void {
    const { deliveries } = entry
    this.#tell(outcome, { id: id ?? idIn(entry), deliveries, durationMs, error })
  }

  lost(entry: StreamEntry): void {
    this.ended(entry, { outcome: 'lost', settlement: undefined }, 0)
  }

  gone(): void {
    this.#tell('gone', { id: undefined, deliveries: 0, durationMs: 0, error: undefined })
  }

  group(state: 'made' | 'lost'): void {
    this.#events.emit('stream-group', { ...this.#group, state })
  }

  #tell(
    outcome: DeliveryOutcome,
    said: {
      readonly id: string | undefined
      readonly deliveries: number
      readonly durationMs: number
      readonly error: unknown
    },
  ): void {
    this.#counts[COUNTERS[outcome]] += 1
    this.#events.emit('stream', { ...this.#group, outcome, ...said })
  }
}
