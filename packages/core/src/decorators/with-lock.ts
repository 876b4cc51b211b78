/** `@WithLock`: one call at a time, in all processes. */

import { currentScope, runLoad } from '../cache/load-scope.ts'
import { INTERNALS } from '../contracts/internals.ts'
import { keyErrorAt } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { fitKey, type Key, keyText } from '../keys/key-text.ts'
import { namesInOrder } from '../locks/lock-name.ts'
import { LOCK_OPTION_NAMES, type LockOptions, resolveLockOptions } from '../locks/lock-options.ts'
import type { Locks } from '../locks/locks.ts'
import { assertKnownOptions } from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'
import { invoke, MethodBinder } from './bound/bound-method.ts'
import { readCallback } from './bound/callbacks.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  methodDecorator,
} from './bound/method-decorator.ts'
import { assertLasting } from './bound/names.ts'
import type { AnnotateThis, ArgsOf, WriteParentheses } from './bound/unannotated.ts'
import { keySource } from './reading/key-source.ts'

type Args = readonly unknown[]

/** Either `key`, or `keys`, or neither: then the method's name and its arguments are the key. */
export type WithLockOptions<KeyArgs extends Args, KeysArgs extends Args> = WithLockFields<
  KeyArgs,
  KeysArgs
> &
  ThisType<AnnotateThis>

/** The fields of `WithLockOptions`. */
export interface WithLockFields<KeyArgs extends Args, KeysArgs extends Args>
  extends Omit<LockOptions, 'signal'> {
  /** The lock's name, from the arguments: a function or a template. Methods with the same name exclude each other. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** Several names, all of which are held while the method runs. */
  readonly keys?: ((...args: KeysArgs) => readonly Key[]) | undefined
}

/** A manager that has locks. */
export interface LocksOwner {
  readonly locks: Locks
}

const DECORATOR = '@WithLock'
const OWN_NAMES = optionNames<Omit<WithLockFields<[], []>, keyof LockOptions>>({
  key: true,
  keys: true,
})
// Whose signal would it be? It stands here once, for all calls.
const NAMES = [...OWN_NAMES, ...LOCK_OPTION_NAMES.filter((name) => name !== 'signal')]

/**
 * Runs the method under a lock: one call at a time per key, in all processes of the namespace. `currentLock()` inside gives
 * the fence, and the signal that aborts when the lock is lost.
 *
 * A lock alone cannot stop a process that was held up for longer than its term; see the guide on fences.
 *
 * @throws InvalidOptionError at definition, naming the option. The method throws LockTimeoutError when the lock stayed held,
 *   LockUnavailableError when the store cannot decide, LockLostError (with the result) when it was lost while the method ran.
 * @example `@WithLock({ key: (id: string) => id, lease: '10s', wait: '5s' }) async checkout(id: string): Promise<void> { … }`
 */
export function WithLock<AnnotateKeyArgs extends Args = [], AnnotateKeysArgs extends Args = []>(
  options: WithLockOptions<AnnotateKeyArgs, AnnotateKeysArgs>,
): AsyncMethodDecorator<ArgsOf<AnnotateKeyArgs | AnnotateKeysArgs>, unknown>
export function WithLock(
  target: object,
  context: unknown,
  descriptor?: unknown,
): WriteParentheses<'@WithLock'>
export function WithLock(...given: readonly [object?]): unknown {
  assertCalledWithOptions(DECORATOR, given)
  const [options = {}] = given
  assertKnownOptions(options, NAMES, DECORATOR)
  const { key, keys, ...lockOptions } = options as WithLockFields<never, never>
  const resolved = resolveLockOptions(lockOptions, DECORATOR)
  const namesOf = nameSource(key, keys)
  const isNamedByMethod = key === undefined && keys === undefined
  return methodDecorator(DECORATOR, (original, site) => {
    const binder = new MethodBinder({
      decorator: DECORATOR,
      site,
      needsOpen: true,
      tie: (bound) => {
        const locks = locksOf(bound.provider, bound.where)[INTERNALS]
        locks.assertPossible(resolved, bound.where)
        if (isNamedByMethod) assertLasting(bound, `${bound.where}.key`, 'a key')
        return { ...bound, locks, names: namesOf(bound.receiver.label) }
      },
    })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const { locks, where, names } = binder.bind(this)
        const scope = currentScope()
        const run = (): Promise<unknown> => invoke(original, this, args, where)
        const make = (): readonly string[] => namesFor(names, this, args, where)
        // As part of the load to which the call belonged before the lock was waited for.
        const runUnder = (): Promise<unknown> => (scope === undefined ? run() : runLoad(scope, run))
        return runLocked(make, where, (held, body) => locks.run(held, resolved, body), runUnder)
      },
    }
    return { method, operation: { kind: 'with-lock', options } }
  })
}

type Names = (self: unknown, args: Args) => readonly string[]

const MOVED = Symbol('the arguments make other names now')
const MOST_TRIES = 5

/**
 * Runs the method under the locks that its arguments name when it begins. While a lock was waited for, the caller may have
 * changed the arguments: then the lock belongs to another key, and the right one is taken instead.
 *
 * @throws InvalidOptionError when they never stand still
 */
async function runLocked(
  make: () => readonly string[],
  where: string,
  lock: (names: readonly string[], body: () => Promise<unknown>) => Promise<unknown>,
  run: () => Promise<unknown>,
): Promise<unknown> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const names = make()
    const result = await lock(names, async () => {
      return isSame(names, make()) ? run() : MOVED
    })
    if (result !== MOVED) return result
  }
  throw new InvalidOptionError({
    option: `the arguments of ${where}`,
    expected: 'to make the same key when the lock is had as when it was asked for',
    received: 'others each time',
  })
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, i) => name === other[i])
}

function namesFor(names: Names, self: unknown, args: Args, where: string): readonly string[] {
  try {
    return names(self, args)
  } catch (error) {
    throw keyErrorAt(error, where)
  }
}

/** @throws InvalidOptionError when both are given, or either is wrong */
function nameSource(key: unknown, keys: unknown): (label: string) => Names {
  if (keys !== undefined) {
    readCallback(keys, `${DECORATOR}.keys`)
    if (key !== undefined) {
      const expected = 'either key or keys'
      throw new InvalidOptionError({ option: `${DECORATOR}.keys`, expected, received: keys })
    }
    const list = keys as (this: unknown, ...args: unknown[]) => readonly Key[]
    return () => (self, args) =>
      namesInOrder(list.apply(self, args as unknown[]), `${DECORATOR}.keys`, keyText)
  }
  const sourceOf = keySource(key, `${DECORATOR}.key`)
  return (label) => {
    const source = sourceOf({ before: `${label}:`, after: '' })
    // The text of a key is the name of its lock; a name made from that text could differ.
    const nameOf = source.frame === undefined ? (text: string) => text : fitKey
    return (self, args) => [nameOf(source.of(self, args))]
  }
}

function locksOf(manager: object, where: string): Locks {
  if ('locks' in manager) return (manager as LocksOwner).locks
  throw new InvalidOptionError({
    option: where,
    expected: 'a manager that has locks, such as that of createCacheManager',
    received: manager,
  })
}
