/** Tells of sessions that were ended by calls of this process. */

import type { SessionParts } from '@larder/core/store'

/**
 * `destroyed`: by `destroy` or `destroyAll`; `login`: for one with a new id; `dropped`: its user had too many.
 */
export type SessionEndReason = 'destroyed' | 'login' | 'dropped'

export interface SessionEnd {
  readonly id: string
  readonly reason: SessionEndReason
}

export class EndedSessions {
  readonly #listeners = new Set<{ readonly run: (end: SessionEnd) => void }>()
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  listen(listener: (end: SessionEnd) => void): () => void {
    const entry = { run: listener }
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  /** What a listener throws or rejects with is a `background-error`: the session has ended all the same. */
  tell(id: string, reason: SessionEndReason): void {
    const report = (error: unknown): void =>
      this.#parts.events.emit('background-error', { task: 'tell of the end of a session', error })
    for (const { run } of [...this.#listeners]) {
      try {
        const answer: unknown = run({ id, reason })
        if (answer instanceof Promise) answer.catch(report)
      } catch (error) {
        report(error)
      }
    }
  }
}
