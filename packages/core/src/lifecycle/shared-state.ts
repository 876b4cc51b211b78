/**
 * What all copies of this package in one process have in common.
 *
 * Two copies meet easily: two versions in node_modules, a module that is evaluated again by a development server or by
 * `vi.resetModules()`, one package bundled and another one not. A manager made by one of them is to serve methods decorated
 * by the other, so what they look each other up in stands under a global symbol. Its shape has a number: copies that
 * disagree about it do not touch each other's, and the error for a missing manager says so.
 */

import type { AsyncLocalStorage } from 'node:async_hooks'

/** One for each shape of the state. */
const SHAPE = 1
const PLACE = Symbol.for('@larder/core')

/** A storage, and how many run in it. */
export interface ContextState {
  scopes: AsyncLocalStorage<unknown> | undefined
  running: number
}

/** As much of a manager as is looked at here. */
export interface SharedManager {
  readonly isClosed: boolean
}

/** What others keep here is typed where it is used: those files look here, not the other way round. */
export interface SharedState {
  defaultManager: SharedManager | undefined
  /** Open ones that another default manager took over from, the one made last comes last. */
  readonly earlierManagers: SharedManager[]
  /** The load that is running up to its first `await`. */
  loadScope: unknown
  readonly skip: ContextState
  /** Which locks the running code holds. */
  readonly locks: ContextState
  /** The manager that uses a store. */
  readonly storeUsers: WeakMap<object, object>
  /** What `@CacheConfig` says, by class. */
  readonly classConfigs: WeakMap<object, object>
  /** `Claims`, by manager. */
  readonly claims: WeakMap<object, unknown>
  /** The decorated method behind a function that a decorator made. */
  readonly sites: WeakMap<object, object>
  /** How often decorators have begun to run; see `Evaluation`. */
  readonly turns: { count: number; isOpen: boolean }
  /** Names of caches that something of this process reads. */
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
    classConfigs: new WeakMap(),
    claims: new WeakMap(),
    sites: new WeakMap(),
    turns: { count: 0, isOpen: false },
    readNames: new Set(),
    warned: new Set(),
  }
  states()[SHAPE] = state
  return state
}

/** The state that this copy and others of its shape work with. */
export const shared: SharedState = states()[SHAPE] ?? made()

/** True when a copy that this one cannot work with has a manager. */
export function isManagerElsewhere(): boolean {
  return Object.entries(states()).some(
    ([shape, state]) => Number(shape) !== SHAPE && state?.defaultManager !== undefined,
  )
}

const MOST_WARNINGS = 1_000

/** Warns through `process.emitWarning`, once a subject and process. */
export function warnOnce(code: string, subject: string, message: string): void {
  const id = `${code} ${subject}`
  if (shared.warned.has(id) || shared.warned.size >= MOST_WARNINGS) return
  shared.warned.add(id)
  process.emitWarning(message, { type: 'LarderWarning', code })
}
