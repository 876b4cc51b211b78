/** Runs a loader once: its signal, its timeouts, and its outcome. */

import { freezeDeep } from '../entry/freeze.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { LoadTimeoutError } from '../errors/load-error.ts'
import { withValue } from '../events/event-value.ts'
import { runIn } from '../lifecycle/call-context.ts'
import type { Flight, Flights } from './flight.ts'
import { beginLoad, endLoad, runInLoad } from './load-scope.ts'
import type { CacheNode } from './node.ts'
import type { LoadContext } from './read-call.ts'
import { loadTrace, tracesLoads } from './read-reports.ts'
import { ownCopy } from './value-forms.ts'

/** How a load ended. */
export type LoadOutcome =
  | { readonly kind: 'value' | 'negative'; readonly value: unknown; readonly loadMs: number }
  | {
      readonly kind: 'error'
      readonly error: unknown
      readonly loadMs: number
      /** Its signal had aborted because no caller waited any more. */
      readonly isGivenUp: boolean
    }

export interface LoadHooks {
  /** The value that the load is to replace. */
  readonly previous: unknown
  /** Called once if the load is still running past `softTimeout`. */
  readonly onSoftTimeout: () => void
}

/** What a load needs of its node, which is also known by it: two managers' loads of one key are two. */
type LoadHome = AbortHome &
  Pick<CacheNode, 'namespace' | 'clock' | 'events' | 'traces' | 'copyValue'>

/** What a load needs to be given up. */
type AbortHome = Pick<CacheNode, 'closing' | 'flights'>

/**
 * What is read or loaded from here on stands on what is known now; what was read before must not be part of the answer.
 *
 * A flight may wait for another node's load before it loads itself. What was invalidated meanwhile does not concern a load that
 * has not begun. If it still stood on what was known when it began to wait, its result would count as invalidated: nobody who
 * waits for it could use it, and each of them would load, one after the other.
 */
export function stand(
  { knowledge, clock }: Pick<CacheNode, 'knowledge' | 'clock'>,
  flight: Flight,
): void {
  flight.stamp = knowledge.stamp(flight.address.partition)
  flight.at = clock.now()
}

/** Runs the flight's loader. Never rejects: an error of the user's method is an outcome. */
export async function runLoader(
  node: LoadHome,
  flight: Flight,
  hooks: LoadHooks,
): Promise<LoadOutcome> {
  const { call } = flight
  const { policy, counters } = call
  const startedAt = node.clock.now()
  const abort = new LoadAbort(node, hooks.previous, flight)
  flight.load = abort
  const { softTimeoutMs, loadTimeoutMs } = policy
  const timers: (() => void)[] = []
  if (softTimeoutMs > 0) {
    timers.push(node.clock.schedule(softTimeoutMs, hooks.onSoftTimeout, 'caller'))
  }
  counters.loads += 1
  const scope = beginLoad(node, [flight], abort)
  // One that loads many at once is traced where it does.
  const trace = tracesLoads() && !call.loader.isOfMany ? loadTrace(node, [flight]) : undefined
  let outcome: LoadOutcome
  try {
    const load = (): Promise<unknown> => runInLoad(scope, () => call.loader.load(abort))
    const running = trace === undefined ? load() : trace.run(load)
    const value = await (loadTimeoutMs > 0 ? withTimeout(node, running, abort, timers) : running)
    const kind = value === undefined || value === null ? 'negative' : 'value'
    outcome = { kind, value, loadMs: node.clock.now() - startedAt }
  } catch (error) {
    counters.loadErrors += 1
    const { isGivenUp } = abort
    outcome = { kind: 'error', error, loadMs: node.clock.now() - startedAt, isGivenUp }
  } finally {
    for (const cancel of timers) cancel()
    endLoad(scope)
    abort.end()
    flight.load = undefined
  }
  if (outcome.kind === 'error') trace?.fail(outcome.error, { outcome: 'error' })
  else trace?.end({ outcome: outcome.kind })
  counters.loadMs.record(outcome.loadMs)
  reportLoad(node, flight, outcome)
  return outcome
}

function withTimeout(
  node: Pick<CacheNode, 'clock'>,
  running: Promise<unknown>,
  abort: LoadAbort,
  timers: (() => void)[],
): Promise<unknown> {
  const { flight } = abort
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

function reportLoad(
  node: Pick<CacheNode, 'events' | 'copyValue'>,
  flight: Flight,
  outcome: LoadOutcome,
): void {
  if (!node.events.heard.has('load')) return
  const { call } = flight
  const event = {
    cache: call.cache,
    key: flight.address.key,
    durationMs: outcome.loadMs,
    outcome: outcome.kind,
    reason: flight.isSettled || flight.isForced ? 'refresh' : 'miss',
  } as const
  const value = (): unknown => {
    if (outcome.kind === 'error') return undefined
    const { isolation } = call.policy
    if (isolation === 'cloned') return ownCopy(node, call.policy, outcome.value)
    // It is not kept yet, and is to be kept as it was loaded.
    return isolation === 'frozen' ? freezeDeep(outcome.value) : outcome.value
  }
  node.events.emit('load', withValue(event, value))
}

/** The argument of a loader; its signal is made when the loader reads it, which few loaders do. */
export class LoadAbort implements LoadContext {
  readonly previous: unknown
  readonly isBehind: boolean
  /** Loads that run as one, with one signal for all. */
  together: readonly LoadAbort[] = [this]
  /** True when its signal aborted because no caller waited any more. */
  isGivenUp = false
  /** Called when it is over. */
  onEnd: (() => void) | undefined
  readonly #node: AbortHome
  readonly #closing: AbortSignal
  #controller: AbortController | undefined
  #reason: unknown
  #isOver = false
  readonly #flight: Flight

  constructor(node: AbortHome, previous: unknown, flight: Flight) {
    this.#node = node
    this.#closing = node.closing.signal
    this.previous = previous
    this.isBehind = flight.isSettled || (flight.isForced && flight.ask === undefined)
    this.#flight = flight
  }

  get flight(): Flight {
    return this.#flight
  }

  /** What it was aborted with, if it was. */
  get reason(): unknown {
    return this.#reason
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    this.#controller = new AbortController()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    else if (this.#closing.aborted) this.#controller.abort(this.#closing.reason)
    else if (!this.#isOver) {
      this.#closing.addEventListener('abort', this.#onClosing, { once: true })
      // All callers left before the signal was read.
      if (this.#flight.isForsaken) this.forsaken(this.#flight.leftFor)
    }
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#reason ??= reason
    // For listeners of the signal: a timer or `close()` aborts it.
    runIn(this.#flight.context, () => this.#controller?.abort(reason))
  }

  /**
   * No caller waits for the load any more. A load that has not read its signal would not notice: it continues, may be joined
   * again, and its result is kept. A load that has read it is given up: later callers start anew.
   */
  forsaken(reason: unknown): void {
    if (this.#controller === undefined || this.#isOver) return
    if (!this.together.every((load) => load.#flight.isForsaken)) return
    for (const load of this.together) load.#giveUp(reason)
  }

  #giveUp(reason: unknown): void {
    this.isGivenUp = true
    this.#node.flights.detach(this.#flight)
    this.abort(reason)
  }

  /** The load is over; its signal has no effect any more. */
  end(): void {
    this.#isOver = true
    this.onEnd?.()
    if (this.#controller === undefined) return
    this.#closing.removeEventListener('abort', this.#onClosing)
  }

  readonly #onClosing = (): void => this.abort(this.#closing.reason)
}

/** Ends a flight in the place of a load, because the manager was closed meanwhile. */
export function endAsClosed(
  { flights, namespace }: { readonly flights: Flights; readonly namespace: string },
  flight: Flight,
): void {
  flights.end(flight)
  flight.call.onDecided?.()
  flight.reject(new ClosedError(namespace))
}

/** Ends a flight that nobody waits for any more, before it loads; false when somebody does. */
export function endIfForsaken({ flights }: { readonly flights: Flights }, flight: Flight): boolean {
  if (!flight.isForsaken) return false
  flights.end(flight)
  flight.call.onDecided?.()
  flight.reject(flight.leftFor)
  return true
}
