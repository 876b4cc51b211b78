/**
 * Callers of one lock within this process take turns before they go to the store: one of them stands in the store's queue
 * for all, so that a process with a thousand callers costs the store no more than one with a single caller.
 */

import type { Clock } from '../contracts/clock.ts'
import { PassingMap } from '../lifecycle/passing-map.ts'

interface Waiter {
  /** The turn has come. */
  begin(): void
}

export class LockTurns {
  readonly #queues = new PassingMap<string, Waiter[]>()

  /** True, and the turn is taken, when nobody has it. */
  takeIfFree(name: string): boolean {
    if (this.#queues.get(name) !== undefined) return false
    this.#queues.set(name, [])
    return true
  }

  /** Queues; returns what leaves the queue before the turn has come. */
  queue(name: string, begin: () => void): () => void {
    const waiters = this.#queues.get(name)
    if (waiters === undefined) throw new Error('Nobody has the turn')
    const waiter: Waiter = { begin }
    waiters.push(waiter)
    return () => {
      const at = waiters.indexOf(waiter)
      if (at >= 0) waiters.splice(at, 1)
    }
  }

  /** Passes the turn on. */
  pass(name: string): void {
    const next = this.#queues.get(name)?.shift()
    if (next === undefined) this.#queues.delete(name)
    else next.begin()
  }
}

export interface TurnWait {
  readonly name: string
  readonly ms: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Resolves with true when the turn has come, with false when the time is over. @throws the signal's reason */
export function awaitTurn(
  turns: LockTurns,
  { name, ms, clock, signal }: TurnWait,
): Promise<boolean> {
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', abort)
    }
    const abort = (): void => {
      leave()
      end()
      reject(signal.reason)
    }
    const leave = turns.queue(name, () => {
      end()
      resolve(true)
    })
    const giveUp = (): void => {
      leave()
      end()
      resolve(false)
    }
    const cancel = clock.schedule(Math.max(0, Math.ceil(ms)), giveUp, 'caller')
    signal.addEventListener('abort', abort)
  })
}
