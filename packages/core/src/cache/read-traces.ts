/** Traces of reads and loads; asked for only while somebody has subscribed. */

import { OpenTrace } from '../events/open-trace.ts'
import { CHANNELS, type LoadTrace, type ReadTrace, type TracedFlight } from '../events/traces.ts'
import type { Flight } from './flight.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

/** True while somebody listens to reads. */
export function tracesReads(): boolean {
  return CHANNELS.read.hasSubscribers
}

/** True while somebody listens to loads. */
export function tracesLoads(): boolean {
  return CHANNELS.load.hasSubscribers
}

/** Begins the trace of a flight that asks the store; it ends with the flight at the latest. */
export function traceFlight(node: CacheNode, flight: Flight): void {
  const what = { joined: false, behind: isBehind(flight), flight: markOf(flight) }
  flight.trace ??= readTrace(node, flight.call, what).begin()
}

/** The trace of a look that asks the store, and belongs to no flight. */
export function traceLook(node: CacheNode, call: ReadCall): OpenTrace<ReadTrace> {
  return readTrace(node, call, { joined: false, behind: false, flight: {} }).begin()
}

/** Traces a caller that waits for a flight of another one, until its own answer, or until it stops waiting. */
export function traceWait<Result>(
  node: CacheNode,
  call: ReadCall,
  { flight, answer }: { readonly flight: Flight; readonly answer: Promise<Result> },
): Promise<Result> {
  const what = { joined: true, behind: false, flight: markOf(flight) }
  const trace = readTrace(node, call, what).begin()
  const { caller } = call.rules
  if (caller !== undefined) {
    caller.onGone = (reason) => {
      if (reason === undefined) trace.end({ outcome: 'stale' })
      else trace.fail(reason)
    }
  }
  return trace.until(answer, () => ({ outcome: 'joined' }))
}

/** The trace of one call of a loader, for one flight or for many; not begun. */
export function loadTrace(node: CacheNode, flights: readonly Flight[]): OpenTrace<LoadTrace> {
  const [first] = flights
  const message: LoadTrace = {
    namespace: node.namespace,
    manager: node.events.owner,
    cache: first?.call.cache ?? '',
    keys: flights.map(({ address }) => address.key),
    where: first?.call.site.where ?? '',
    reason: flights.every(({ isSettled, isForced }) => isSettled || isForced) ? 'refresh' : 'miss',
    behind: flights.every(isBehind),
    flights: flights.map(markOf),
  }
  return new OpenTrace(CHANNELS.load, message, node.traces)
}

function readTrace(
  node: CacheNode,
  call: ReadCall,
  what: Pick<ReadTrace, 'joined' | 'behind' | 'flight'>,
): OpenTrace<ReadTrace> {
  const { namespace, traces, events } = node
  const { cache, fullKey: key, site } = call
  const { where } = site
  const message: ReadTrace = { namespace, manager: events.owner, cache, key, where, ...what }
  return new OpenTrace(CHANNELS.read, message, traces)
}

/** Its caller was served already, with what is to be replaced. One that asked for a refresh waits for it. */
function isBehind({ isSettled, isForced, ask }: Flight): boolean {
  return isSettled || (isForced && ask === undefined)
}

/** Made when it is first asked for: flights are many, and subscribers few. */
function markOf(flight: Flight): TracedFlight {
  flight.mark ??= Object.freeze({})
  return flight.mark
}
