/** A local store that can be made to throw, or to forget. */

import type { LocalStore } from '../../contracts/local-store.ts'
import { FaultRules, type FaultScope } from './fault-rules.ts'

/** The methods of a local store that can be made to fail. */
export type LocalOperation = 'get' | 'peek' | 'set' | 'delete' | 'clear' | 'keys'

export type LocalFaultScope = FaultScope<LocalOperation>

type Fault = { readonly kind: 'fail'; readonly error: unknown } | { readonly kind: 'ignore' }

/** Faults of one local store. `heal` ends them all. */
export class LocalFaults {
  readonly #rules = new FaultRules<LocalOperation, Fault>()

  /** Calls throw and do nothing. */
  fail(scope?: LocalFaultScope, error: unknown = new Error('made to fail')): void {
    this.#rules.add({ kind: 'fail', error }, scope)
  }

  /** Calls do nothing: reads find nothing, writes and deletes are lost silently. */
  ignore(scope?: LocalFaultScope): void {
    this.#rules.add({ kind: 'ignore' }, scope)
  }

  heal(): void {
    this.#rules.clear()
  }

  /** Runs a call under the faults that are switched on; `ignored` is what an ignored call returns. */
  run<Result>(operation: LocalOperation, call: () => Result, ignored: Result): Result {
    const fault = this.#rules.take(operation)
    if (fault?.kind === 'fail') throw fault.error
    return fault?.kind === 'ignore' ? ignored : call()
  }
}

export interface FaultyLocalStore<Entry extends object> extends LocalStore<Entry> {
  readonly faults: LocalFaults
  /** Drops a key as if for room: the engine is told. Returns false when it was not there. */
  drop(key: string): boolean
}

/**
 * Wraps a local store so that its calls can be made to throw or to be ignored, and entries to be dropped at will.
 *
 * @example
 * const local = faultyLocalStore(lruStore())
 * local.faults.ignore({ on: 'set' })
 */
export function faultyLocalStore<Entry extends object>(
  store: LocalStore<Entry>,
): FaultyLocalStore<Entry> {
  const faults = new LocalFaults()
  return {
    faults,
    name: store.name,
    measuresBytes: store.measuresBytes,
    get size(): number {
      return store.size
    },
    get bytes(): number {
      return store.bytes
    },
    get onDrop(): LocalStore<Entry>['onDrop'] {
      return store.onDrop
    },
    set onDrop(listener: LocalStore<Entry>['onDrop']) {
      store.onDrop = listener
    },
    get: (key) => faults.run('get', () => store.get(key), undefined),
    peek: (key) => faults.run('peek', () => store.peek(key), undefined),
    set: (key, entry, bytes) => faults.run('set', () => store.set(key, entry, bytes), undefined),
    delete: (key) => faults.run('delete', () => store.delete(key), false),
    clear: () => faults.run('clear', () => store.clear(), undefined),
    keys: () => faults.run<Iterable<string>>('keys', () => store.keys(), []),
    ...(store.askAboutUse && { askAboutUse: (wasUsed) => store.askAboutUse?.(wasUsed) }),
    drop(key) {
      const entry = store.peek(key)
      if (entry === undefined) return false
      store.delete(key)
      store.onDrop?.(key, entry)
      return true
    },
  }
}
