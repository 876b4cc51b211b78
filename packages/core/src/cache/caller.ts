/**
 * Somebody who may stop waiting before there is an answer: by a signal, or after `hardTimeout`.
 *
 * A load is not its caller's: others share it, and its result is for all nodes. So who stops waiting leaves it running.
 * With a signal the caller says that it wants no answer any more: where nobody else waits, the loader's own signal aborts.
 * A caller whose time is up still wanted it, and will ask again: that load goes on.
 */

import { LoadTimeoutError } from '../errors/load-error.ts'
import { keepContext, runIn } from '../lifecycle/call-context.ts'
import { onAbort } from '../lifecycle/on-abort.ts'
import type { Flight } from './flight.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall, WaitingCaller } from './read-call.ts'

/** Serves what is stale in place of a load that takes too long, if that may be served. */
export type FallBack = (flight: Flight) => Promise<unknown> | undefined

export class Caller implements WaitingCaller {
  readonly #flights: Flight[] = []
  readonly #key: string
  readonly #signal: AbortSignal | undefined
  readonly #hardTimeoutMs: number
  #hasLeft = false
  /** Called once if it stops waiting before there is an answer: with the reason, or with none where it was served a stale value. */
  onGone: ((reason: unknown) => void) | undefined

  constructor({ rules, policy, fullKey }: ReadCall) {
    this.#key = fullKey
    this.#signal = rules.patience?.signal
    this.#hardTimeoutMs = rules.patience?.hardTimeoutMs ?? policy.hardTimeoutMs
  }

  /** It waits for this flight from now on. */
  joined(flight: Flight): void {
    this.#flights.push(flight)
    if (this.#hasLeft) flight.leave(this.#signal?.reason)
  }

  /** Waits for an answer while it may; without `fallBack`, for a load of its own. */
  wait(
    node: Pick<CacheNode, 'clock'>,
    answer: Promise<unknown>,
    fallBack?: FallBack,
  ): Promise<unknown> {
    const signal = this.#signal
    const forget = signal && onAbort(signal, () => this.#leave(signal.reason))
    const done = this.#bounded(node, answer, fallBack)
    if (forget === undefined) return done
    void done.then(forget, forget)
    return done
  }

  #bounded(
    node: Pick<CacheNode, 'clock'>,
    answer: Promise<unknown>,
    fallBack?: FallBack,
  ): Promise<unknown> {
    const ms = this.#hardTimeoutMs
    if (ms === 0) return answer
    const context = keepContext()
    return new Promise((resolve, reject) => {
      const timedOut = (): void => {
        const flight = this.#flights.at(-1)
        // The loader runs inside another one, whose callers have times of their own.
        if (flight === undefined && fallBack !== undefined) return
        for (const each of this.#flights) each.stay()
        const value = flight && fallBack?.(flight)
        const error = value === undefined ? new LoadTimeoutError(this.#key, ms, true) : undefined
        this.onGone?.(error)
        if (error === undefined) resolve(value)
        else reject(error)
      }
      const cancel = node.clock.schedule(ms, () => runIn(context, timedOut), 'caller')
      answer.then(resolve, reject)
      answer.then(cancel, cancel)
    })
  }

  #leave(reason: unknown): void {
    this.#hasLeft = true
    this.onGone?.(reason)
    for (const flight of this.#flights) flight.leave(reason)
  }
}

/**
 * Returns what `begin` promises, or rejects with the signal's reason as soon as it aborts. Nothing is begun when it has.
 */
export async function whileWanted<Result>(
  signal: AbortSignal | undefined,
  begin: () => Promise<Result>,
): Promise<Result> {
  if (signal === undefined) return begin()
  signal.throwIfAborted()
  const answer = begin()
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason))
    answer.then(resolve, reject)
    answer.then(forget, forget)
  })
}
