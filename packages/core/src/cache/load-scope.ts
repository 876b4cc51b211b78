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
 *
 * A method is noticed sooner, by its keys and before the engine knows of the call: `find` on top of `super.find`, or `findMany` on top
 * of `find` in one named cache. For that it is enough to know what runs up to the first `await`, which is where such calls are made.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { shared } from '../lifecycle/shared-state.ts'
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
  /** What was started in a load may go on after it, and is not part of it then. */
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

/** Keys being loaded by a method that is running, and what that load is part of. */
export interface MethodLoadScope {
  /** The manager. */
  readonly provider: object | undefined
  readonly fullKeys: readonly string[]
  readonly context: LoadContext
  readonly outer: MethodLoadScope | undefined
}

/**
 * Returns the signal of the load that the running code is part of; it aborts when the load is given up (`loadTimeout`) or
 * the manager closes. Call it at the beginning of a `@Cacheable` method, before its first `await`.
 *
 * @example
 * async find(id: string): Promise<Product | undefined> {
 *   const signal = loadSignal()
 *   const response = await fetch(`https://api.example.com/products/${id}`, { signal: signal ?? null })
 * }
 */
export function loadSignal(): AbortSignal | undefined {
  return currentScope()?.context.signal
}

/** Returns the load of a method that the running code is part of. Called when a method is called, before the engine takes over. */
export function currentScope(): MethodLoadScope | undefined {
  return shared.loadScope as MethodLoadScope | undefined
}

/** True when one of the keys is being loaded by `scope` or by a load around it. */
export function isLoading(
  scope: MethodLoadScope | undefined,
  provider: object | undefined,
  fullKeys: readonly string[],
): boolean {
  for (let at = scope; at !== undefined; at = at.outer) {
    const { provider: loader, fullKeys: loading } = at
    if (loader === provider && fullKeys.some((key) => loading.includes(key))) return true
  }
  return false
}

/** Runs a method as the load of some keys. */
export function runLoad<Result>(scope: MethodLoadScope, run: () => Result): Result {
  const before = shared.loadScope
  shared.loadScope = scope
  try {
    return run()
  } finally {
    shared.loadScope = before
  }
}
