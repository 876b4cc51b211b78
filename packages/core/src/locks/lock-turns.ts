/**
 * Callers of one lock within this process take turns before they go to the store: one of them stands in the store's queue
 * for all. So a process with a thousand callers costs the store no more than one with a single caller.
 *
 * The caller that stands there asks for all, so its answers are for all: when the store cannot answer, the waiting of all ends.
 * Otherwise each would find that out again, one after the other.
 */

import type { Clock } from '../contracts/clock.ts'
import { onAbort } from '../lifecycle/on-abort.ts'
import { PassingMap } from '../lifecycle/passing.ts'

interface Turn {
  /** The turn has come. */
  begin(): void
  fail(cause: unknown): void
}

/** What the caller whose turn it is has learnt last: nothing yet, that the lock is held, or why the store cannot say. */
export type Learnt = 'nothing' | 'held' | { readonly cause: unknown }

interface Queue {
  readonly waiters: Turn[]
  learnt: Learnt
}

export class LockTurns {
  readonly #queues = new PassingMap<string, Queue>()

  /** True, and the turn is taken, when nobody has it. */
  takeIfFree(name: string): boolean {
    if (this.#queues.get(name) !== undefined) return false
    this.#queues.set(name, { waiters: [], learnt: 'nothing' })
    return true
  }

  /** Queues; returns what leaves the queue before the turn has come. */
  queue(name: string, waiter: Turn): () => void {
    const waiters = this.#queues.get(name)?.waiters
    if (waiters === undefined) throw new Error('Nobody has the turn')
    waiters.push(waiter)
    return () => {
      const at = waiters.indexOf(waiter)
      if (at >= 0) waiters.splice(at, 1)
    }
  }

  learn(name: string, learnt: Learnt): void {
    const queue = this.#queues.get(name)
    if (queue !== undefined) queue.learnt = learnt
  }

  learnt(name: string): Learnt {
    return this.#queues.get(name)?.learnt ?? 'nothing'
  }

  /** Passes the turn on. */
  pass(name: string): void {
    const next = this.#queues.get(name)?.waiters.shift()
    if (next === undefined) this.#queues.delete(name)
    else next.begin()
  }

  /** Ends the turn, and the waiting of all who wait for it, because the store cannot say. */
  fail(name: string, cause: unknown): void {
    const waiters = this.#queues.get(name)?.waiters ?? []
    this.#queues.delete(name)
    for (const waiter of waiters) waiter.fail(cause)
  }
}

export interface TurnWait {
  readonly name: string
  readonly ms: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The turn has come; the time is over; or the caller that had the turn before got no answer, and why. */
export type TurnOutcome = 'begun' | 'over' | { readonly cause: unknown }

/** @throws the signal's reason */
export function awaitTurn(
  turns: LockTurns,
  { name, ms, clock, signal }: TurnWait,
): Promise<TurnOutcome> {
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const end = (): void => {
      cancel()
      forget()
    }
    const leave = turns.queue(name, {
      begin: () => {
        end()
        resolve('begun')
      },
      fail: (cause) => {
        end()
        resolve({ cause })
      },
    })
    const giveUp = (): void => {
      leave()
      end()
      resolve('over')
    }
    const cancel = clock.schedule(Math.max(0, Math.ceil(ms)), giveUp, 'caller')
    const forget = onAbort(signal, () => {
      leave()
      end()
      reject(signal.reason)
    })
  })
}
