/** How a flight goes on and how it ends. */

import type { LocalEntry } from '../entry/local-entry.ts'
import { ClosedError } from '../errors/closed-error.ts'
import type { Flight } from './flight.ts'
import type { CacheNode } from './node.ts'

/** Lets a step of a flight run on its own. A defect in it must reach the callers rather than leave them hanging. */
export function goOn(
  node: Pick<CacheNode, 'flights' | 'work'>,
  flight: Flight,
  step: Promise<void>,
): void {
  const guarded = step.catch((error: unknown) => {
    node.flights.end(flight)
    flight.call.onDecided?.()
    flight.reject(error)
  })
  node.work.run('read', guarded)
}

/** Hands out what an entry remembers. */
export function settleWith(flight: Flight, entry: LocalEntry): void {
  flight.entry = entry
  if (entry.kind === 'error') flight.reject(entry.value)
  else flight.resolve(entry.value)
}

/** Ends a flight that nobody waits for any more, before it loads; false when somebody does. */
export function endIfForsaken(node: Pick<CacheNode, 'flights'>, flight: Flight): boolean {
  if (!flight.isForsaken) return false
  node.flights.end(flight)
  flight.call.onDecided?.()
  flight.reject(flight.leftFor)
  return true
}

/** The manager was closed meanwhile. */
export function endAsClosed(node: Pick<CacheNode, 'flights' | 'namespace'>, flight: Flight): void {
  node.flights.end(flight)
  flight.call.onDecided?.()
  flight.reject(new ClosedError(node.namespace))
}
