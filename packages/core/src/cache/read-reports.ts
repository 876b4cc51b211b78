/** Reports of reads and loads: counters, events, and traces while there are subscribers. */

import type { LocalEntry } from '../entry/local-entry.ts'
import { withValue } from '../events/event-value.ts'
import type { CacheEvents, MissReason, UndecodableReason } from '../events/events.ts'
import { OpenTrace } from '../events/open-trace.ts'
import { Paced } from '../events/paced.ts'
import { CHANNELS, type LoadTrace, type ReadTrace, type TracedFlight } from '../events/traces.ts'
import { ownOf } from './entry-view.ts'
import type { Flight } from './flight.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

/** How many events there are per cache and reason in a period. */
const UNDECODABLE = { periodMs: 10_000, most: 10 } as const

/** Counts reads and emits their events. */
export class ReadReports {
  readonly #node: CacheNode
  readonly #undecodable = new Paced(UNDECODABLE.periodMs, UNDECODABLE.most)

  constructor(node: CacheNode) {
    this.#node = node
  }

  hit(entry: LocalEntry, call: ReadCall, tier: 'local' | 'remote'): void {
    const negative = entry.kind === 'negative'
    if (tier === 'local') call.counters.localHits += 1
    else call.counters.remoteHits += 1
    if (negative) call.counters.negativeHits += 1
    if (!this.#node.events.heard.has('hit')) return
    const event = { cache: call.cache, key: call.fullKey, tier, negative }
    this.#node.events.emit('hit', this.#withValue(event, entry, call))
  }

  miss(call: ReadCall, reason: MissReason): void {
    call.counters.misses += 1
    call.counters.missesBy[reason] += 1
    if (!this.#node.events.heard.has('miss')) return
    this.#node.events.emit('miss', { cache: call.cache, key: call.fullKey, reason })
  }

  stale(entry: LocalEntry, call: ReadCall, reason: CacheEvents['stale']['reason']): void {
    call.counters.staleHits += 1
    if (!this.#node.events.heard.has('stale')) return
    const event = { cache: call.cache, key: call.fullKey, reason }
    this.#node.events.emit('stale', this.#withValue(event, entry, call))
  }

  /** It is not stored in the shared tier: it has more bytes than the policy allows. */
  tooLarge({ cache, fullKey, policy }: ReadCall, bytes: number): void {
    this.#node.events.emit('too-large', {
      cache,
      key: fullKey,
      bytes,
      maxBytes: policy.maxValueBytes,
    })
  }

  /** A load was not kept: the key was changed since it began, or what it is part of may not be cached. */
  discarded({ cache, fullKey }: ReadCall): void {
    this.#node.events.emit('discard', { cache, key: fullKey })
  }

  /** Every one is counted, and some are told: a node with a wrong key would tell of each read. */
  undecodable(call: ReadCall, reason: UndecodableReason, error: unknown): void {
    const { cache, fullKey: key, counters } = call
    counters.undecodable += 1
    const count = this.#undecodable.take(`${reason} ${cache}`, this.#node.clock.now())
    if (count > 0) this.#node.events.emit('undecodable', { cache, key, reason, error, count })
  }

  #withValue<Event extends object>(event: Event, entry: LocalEntry, call: ReadCall): Event {
    return withValue(event, () =>
      entry.kind === 'error' ? undefined : ownOf({ entry }, call, this.#node),
    )
  }
}

/** What traces need of the node. */
type TracedNode = Pick<CacheNode, 'namespace' | 'events' | 'traces'>

/** True while reads have subscribers. */
export function tracesReads(): boolean {
  return CHANNELS.read.hasSubscribers
}

/** True while loads have subscribers. */
export function tracesLoads(): boolean {
  return CHANNELS.load.hasSubscribers
}

/** Begins the trace of a flight that asks the store; it ends with the flight at the latest. */
export function traceFlight(node: TracedNode, flight: Flight): void {
  const what = { joined: false, behind: isBehind(flight), flight: markOf(flight) }
  flight.trace ??= readTrace(node, flight.call, what).begin()
}

/** The trace of a look that asks the store, and belongs to no flight. */
export function traceLook(node: TracedNode, call: ReadCall): OpenTrace<ReadTrace> {
  return readTrace(node, call, { joined: false, behind: false, flight: {} }).begin()
}

/** Traces a caller that waits for a flight of another one, until its own answer, or until it stops waiting. */
export function traceWait<Result>(
  node: TracedNode,
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
export function loadTrace(node: TracedNode, flights: readonly Flight[]): OpenTrace<LoadTrace> {
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
  node: TracedNode,
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
