/**
 * Notices a load that asks, itself or by way of others, for what it is loading. It would wait for itself, for ever.
 *
 * From what is known to run in a load, two questions are asked before anybody joins a load under way: is it one that the
 * caller is part of? And does it, as far as is known, wait for one that the caller is part of? Then the caller's own loader
 * runs instead, and nothing of it is kept: the load it is part of keeps its own result.
 *
 * Up to its first `await`, a load is known by what is running. After it, by async context, where that costs nothing more:
 * from Node 24 on, and on older ones in a process that uses `AsyncLocalStorage` already. There the first storage makes every
 * await of the process twice as long, and every miss half as long again. Elsewhere somebody who has waited for `leaseWait` loads
 * in the place of the other (stand-ins.ts), and from then on loads of that cache or method are known by context, too. A
 * load that replaces a value is given that one and waits for nobody: so the first such load of a cache or method is
 * known by context, and the others are if it asked for its own key.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Flight } from './flight.ts'
import type { LoadContext } from './read-call.ts'

/** A load that runs: one flight's, or that of many together. */
export interface LoadScope {
  /** Whose keys: two managers' entries of one key are two. */
  readonly owner: object
  readonly flights: readonly Flight[]
  readonly context: LoadContext
  readonly outer: LoadScope | undefined
  readonly isTracked: boolean
  /** What was started in a load may go on after it, and is no part of it then. */
  isOver: boolean
}

const FIRST_WITH_FRAMES = 24
const isAlwaysCheap = Number.parseInt(process.versions.node, 10) >= FIRST_WITH_FRAMES

const scopes = new AsyncLocalStorage<LoadScope>()
/** Loads that run with the storage enabled. */
let tracked = 0
/** The load whose loader is running up to its first `await`. */
let current: LoadScope | undefined

/** Returns the load that the running code is part of, as far as it is known. */
export function enclosingLoad(): LoadScope | undefined {
  return current ?? (tracked === 0 ? undefined : scopes.getStore())
}

export function beginLoad(
  owner: object,
  flights: readonly Flight[],
  context: LoadContext,
): LoadScope {
  const isSuspect = flights.some(
    ({ call: { site }, isForced }) => site.tracksLoads || (isForced && site.replacesFirst()),
  )
  const isTracked = isAlwaysCheap || isSuspect || isContextKept()
  if (isTracked) tracked += 1
  return { owner, flights, context, outer: enclosingLoad(), isTracked, isOver: false }
}

export function runInLoad<Result>(scope: LoadScope, load: () => Result): Result {
  const before = current
  current = scope
  try {
    return scope.isTracked ? scopes.run(scope, load) : load()
  } finally {
    current = before
  }
}

export function endLoad(scope: LoadScope): void {
  scope.isOver = true
  if (!scope.isTracked) return
  tracked -= 1
  if (tracked === 0) scopes.disable()
}

/** Of a promise that Node tracks: its id and its trigger's. Each enabled storage adds one. */
const SYMBOLS_OF_TRACKED = 2

/** Tells whether somebody else's storage is enabled, by the marks on a promise. Were there none, less would be noticed. */
function isContextKept(): boolean {
  const symbols = Object.getOwnPropertySymbols(new Promise(nothing)).length
  return symbols - (tracked > 0 ? 1 : 0) > SYMBOLS_OF_TRACKED
}

function nothing(): void {}

/** Tells whether waiting for `key`, or for the flight that others share for it, would be waiting for oneself. */
export function isInside(
  scope: LoadScope,
  { owner, key }: { readonly owner: object; readonly key: string },
  flight: Flight | undefined,
): boolean {
  const own = new Set<Flight>()
  for (let at: LoadScope | undefined = scope; at !== undefined; at = at.outer) {
    if (at.isOver) continue
    for (const loading of at.flights) {
      if (at.owner === owner && loading.address.key === key) {
        // It will ask again, perhaps when nothing else tells that it does.
        if (at.isTracked) loading.call.site.tracksLoads = true
        return true
      }
      own.add(loading)
    }
  }
  return flight !== undefined && waitsForAny(flight, own)
}

/** Notes that the load a caller is part of waits for a flight from now on. */
export function noteWaiting(scope: LoadScope, flight: Flight): void {
  if (scope.isOver) return
  for (const loading of scope.flights) {
    loading.waitsFor ??= new Set()
    loading.waitsFor.add(flight)
  }
}

function waitsForAny(flight: Flight, own: ReadonlySet<Flight>): boolean {
  const seen = new Set<Flight>()
  const open = [flight]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (own.has(at)) return true
    if (at.isSettled || seen.has(at)) continue
    seen.add(at)
    if (at.standIn !== undefined) open.push(at.standIn)
    for (const next of at.waitsFor ?? []) open.push(next)
  }
  return false
}
