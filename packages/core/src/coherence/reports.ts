/** What coherence says in events, each change of state once. */

import type { Emitter } from '../events/emitter.ts'
import type { Knowledge } from './knowledge.ts'
import { tagBehind } from './soft-tags.ts'

/** Why a partition, or the tag clock, is not where the store is. */
export type GapReason = 'gap' | 'behind' | 'history-lost'

export class CoherenceReports {
  readonly #events: Emitter
  readonly #knowledge: Knowledge
  #isVerified = false

  constructor(events: Emitter, knowledge: Knowledge) {
    this.#events = events
    this.#knowledge = knowledge
  }

  invalidated(keys: readonly string[], tags: readonly string[]): void {
    if (!this.#events.heard.has('invalidate')) return
    this.#events.emit('invalidate', { keys, tags: tags.map(tagBehind) })
  }

  gap(partition: number | 'tags', reason: GapReason, recovered: boolean): void {
    this.#events.emit('bus-gap', { partition, reason, recovered })
  }

  bus(state: 'up' | 'down', error?: unknown): void {
    this.#events.emit('bus', { state, error })
  }

  queue(): void {
    const { size, escalated } = this.#knowledge.queue
    this.#events.emit('recovery-queue', { waiting: size, escalated })
  }

  /** Says whether what is known here is confirmed by the store, when that has changed. */
  state(): void {
    const { isVerified } = this.#knowledge
    if (isVerified === this.#isVerified) return
    this.#isVerified = isVerified
    this.#events.emit('coherence', { state: isVerified ? 'verified' : 'isolated' })
  }
}
