/** Runs a loader once: its signal, its timeouts, and what came of it. */

import { LoadTimeoutError } from '../errors/load-error.ts'
import { runIn } from '../lifecycle/kept-context.ts'
import type { Flight } from './flight.ts'
import { beginLoad, endLoad, runInLoad } from './load-scope.ts'
import type { CacheNode } from './node.ts'
import type { LoadContext } from './read-call.ts'

/** How a load ended. */
export type LoadOutcome =
  | { readonly kind: 'value' | 'negative'; readonly value: unknown; readonly loadMs: number }
  | { readonly kind: 'error'; readonly error: unknown; readonly loadMs: number }

export interface LoadHooks {
  /** The value that the load is to replace. */
  readonly previous: unknown
  /** Called once if the load is still running past `softTimeout`. */
  readonly onSoftTimeout: () => void
}

/** Runs the flight's loader. Never rejects: an error of the user's method is an outcome. */
export async function runLoader(
  node: CacheNode,
  flight: Flight,
  hooks: LoadHooks,
): Promise<LoadOutcome> {
  const { call } = flight
  const { policy, counters } = call
  const startedAt = node.clock.now()
  const abort = new LoadAbort(node.closing.signal, hooks.previous, flight)
  const { softTimeoutMs, loadTimeoutMs } = policy
  const timers: (() => void)[] = []
  if (softTimeoutMs > 0) {
    timers.push(node.clock.schedule(softTimeoutMs, hooks.onSoftTimeout, 'caller'))
  }
  counters.loads += 1
  const scope = beginLoad(node, [flight], abort)
  let outcome: LoadOutcome
  try {
    const running = runInLoad(scope, () => call.source.load(abort))
    const value = await (loadTimeoutMs > 0
      ? withTimeout(node, running, flight, abort, timers)
      : running)
    const kind = value === undefined || value === null ? 'negative' : 'value'
    outcome = { kind, value, loadMs: node.clock.now() - startedAt }
  } catch (error) {
    counters.loadErrors += 1
    outcome = { kind: 'error', error, loadMs: node.clock.now() - startedAt }
  } finally {
    for (const cancel of timers) cancel()
    endLoad(scope)
    abort.end()
  }
  counters.loadMs.record(outcome.loadMs)
  reportLoad(node, flight, outcome)
  return outcome
}

function withTimeout(
  node: CacheNode,
  running: Promise<unknown>,
  flight: Flight,
  abort: LoadAbort,
  timers: (() => void)[],
): Promise<unknown> {
  const { loadTimeoutMs } = flight.call.policy
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      const error = new LoadTimeoutError(flight.address.key, loadTimeoutMs)
      abort.abort(error)
      reject(error)
    }
    timers.push(node.clock.schedule(loadTimeoutMs, giveUp, 'caller'))
    // A result that comes after the timeout lands in a settled promise and is dropped.
    Promise.resolve(running).then(resolve, reject)
  })
}

function reportLoad(node: CacheNode, flight: Flight, outcome: LoadOutcome): void {
  if (!node.events.has('load')) return
  node.events.emit('load', {
    cache: flight.call.cache,
    key: flight.address.key,
    durationMs: outcome.loadMs,
    outcome: outcome.kind,
    reason: flight.isSettled || flight.ask !== undefined ? 'refresh' : 'miss',
  })
}

/** What a loader is given; its signal is made when somebody asks for it, which few loaders do. */
export class LoadAbort implements LoadContext {
  readonly previous: unknown
  readonly #closing: AbortSignal
  #controller: AbortController | undefined
  #reason: unknown
  #isOver = false
  readonly #flight: Flight

  constructor(closing: AbortSignal, previous: unknown, flight: Flight) {
    this.#closing = closing
    this.previous = previous
    this.#flight = flight
  }

  /** The flight whose loader was given this context. */
  static flightOf(context: LoadContext): Flight | undefined {
    return #flight in context ? context.#flight : undefined
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    this.#controller = new AbortController()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    else if (this.#closing.aborted) this.#controller.abort(this.#closing.reason)
    else if (!this.#isOver) {
      this.#closing.addEventListener('abort', this.#onClosing, { once: true })
    }
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#reason ??= reason
    // For those who listen to the signal: it is a timer or `close()` that aborts.
    runIn(this.#flight.context, () => this.#controller?.abort(reason))
  }

  /** The load is over; its signal tells nothing any more. */
  end(): void {
    this.#isOver = true
    if (this.#controller === undefined) return
    this.#closing.removeEventListener('abort', this.#onClosing)
  }

  readonly #onClosing = (): void => this.abort(this.#closing.reason)
}
