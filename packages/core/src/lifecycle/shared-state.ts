/**
 * What all copies of this package in one process have in common.
 *
 * Two copies often meet: two versions in node_modules, a module that is evaluated again by a development server or by
 * `vi.resetModules()`, one package bundled and another not. A manager made by one copy must serve methods decorated by another,
 * so the tables in which they find each other are kept under a global symbol. Their shape has a number: copies with different
 * shapes do not touch each other's tables, and the error for a missing manager says so.
 */

import type { AsyncLocalStorage } from 'node:async_hooks'

/** One number per shape of the state. */
const SHAPE = 1
const PLACE = Symbol.for('@larder/core')

/** A storage, and how many calls run in it. */
export interface ContextState {
  scopes: AsyncLocalStorage<unknown> | undefined
  running: number
}

/** The part of a manager that is used here. */
export interface SharedManager {
  readonly isClosed: boolean
}

/** Other files type what they keep here themselves, because they import this file and not the other way round. */
export interface SharedState {
  defaultManager: SharedManager | undefined
  /** Open managers that another default manager has replaced, in the order they were made. */
  readonly earlierManagers: SharedManager[]
  /** The load that is running up to its first `await`. */
  loadScope: unknown
  readonly skip: ContextState
  /** Which locks the running code holds. */
  readonly locks: ContextState
  /** The manager that uses a store. */
  readonly storeUsers: WeakMap<object, object>
  /** Which manager objects are bound to, by the prototype that this gave them. */
  readonly bindings: WeakMap<object, object>
  /** Those prototypes: by manager, then by the prototype of the class. */
  readonly boundPrototypes: WeakMap<object, WeakMap<object, object>>
  /** What `@CacheConfig` says, by class. */
  readonly classConfigs: WeakMap<object, object>
  /** `ReservedNames`, by manager. */
  readonly reservedNames: WeakMap<object, unknown>
  /** The decorated method behind a function that a decorator returned. */
  readonly sites: WeakMap<object, object>
  /** How many decorators have begun to run; see `Evaluation`. */
  readonly turns: { count: number; isOpen: boolean }
  /** Names of caches that code of this process reads. */
  readonly readNames: Set<string>
  /** Warnings that were given. */
  readonly warned: Set<string>
}

type States = Record<number, SharedState | undefined>

function states(): States {
  const place = globalThis as { [PLACE]?: States }
  place[PLACE] ??= {}
  return place[PLACE]
}

function made(): SharedState {
  const state: SharedState = {
    defaultManager: undefined,
    earlierManagers: [],
    loadScope: undefined,
    skip: { scopes: undefined, running: 0 },
    locks: { scopes: undefined, running: 0 },
    storeUsers: new WeakMap(),
    bindings: new WeakMap(),
    boundPrototypes: new WeakMap(),
    classConfigs: new WeakMap(),
    reservedNames: new WeakMap(),
    sites: new WeakMap(),
    turns: { count: 0, isOpen: false },
    readNames: new Set(),
    warned: new Set(),
  }
  states()[SHAPE] = state
  return state
}

/** The state that this copy shares with others of its shape. */
export const shared: SharedState = states()[SHAPE] ?? made()

/** True when a copy that this one cannot work with has a manager. */
export function isManagerElsewhere(): boolean {
  return Object.entries(states()).some(
    ([shape, state]) => Number(shape) !== SHAPE && state?.defaultManager !== undefined,
  )
}

const MOST_WARNINGS = 1_000

/** Warns through `process.emitWarning`, once per subject and process. */
export function warnOnce(code: string, subject: string, message: string): void {
  const id = `${code} ${subject}`
  if (shared.warned.has(id) || shared.warned.size >= MOST_WARNINGS) return
  shared.warned.add(id)
  process.emitWarning(message, { type: 'LarderWarning', code })
}
