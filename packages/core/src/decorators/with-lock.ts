/** `@WithLock`: one call at a time, in all processes. */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { Key } from '../keys/key-text.ts'
import type { LockKeys } from '../locks/lock-name.ts'
import { LOCK_OPTION_NAMES, type LockOptions, resolveLockOptions } from '../locks/lock-options.ts'
import type { Locks } from '../locks/locks.ts'
import { assertFunction, assertKnownOptions } from '../options/assert-option.ts'
import { keySource } from './key-source.ts'
import { currentScope, runLoad } from './load-scope.ts'
import { managerFinder } from './manager-of.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  invoke,
  methodDecorator,
} from './method-decorator.ts'
import type { MethodSite } from './method-site.ts'

type Args = readonly unknown[]

/** Either `key`, or `keys`, or neither: then the method's name and its arguments are the key. */
export interface WithLockOptions<KeyArgs extends Args, KeysArgs extends Args>
  extends Omit<LockOptions, 'signal'> {
  /** The lock's name, from the arguments: a function or a template. Methods that say the same name exclude each other. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** Several names, all of which are held while the method runs. */
  readonly keys?: ((...args: KeysArgs) => readonly Key[]) | undefined
}

/** A manager that has locks. */
export interface LocksOwner {
  readonly locks: Locks
}

const DECORATOR = '@WithLock'
const NAMES = ['key', 'keys', ...LOCK_OPTION_NAMES.filter((name) => name !== 'signal')]

/**
 * Runs the method under a lock: one call at a time per key, in all processes of the namespace. `currentLock()` inside gives
 * the fence, and the signal that aborts when the lock is lost.
 *
 * A lock alone cannot stop a process that was held up beyond its lease; see the guide on fences.
 *
 * @throws InvalidOptionError at definition, naming the option. The method throws LockTimeoutError when the lock stayed held,
 *   LockUnavailableError when the store cannot say, LockLostError (with the result) when it was lost while the method ran.
 * @example
 * @WithLock({ key: (orderId: string) => `order:${orderId}`, lease: '10s', wait: '5s' })
 * async checkout(orderId: string): Promise<Receipt> { … }
 */
export function WithLock<KeyArgs extends Args = [], KeysArgs extends Args = []>(
  options: WithLockOptions<KeyArgs, KeysArgs>,
): AsyncMethodDecorator<KeyArgs | KeysArgs, unknown>
export function WithLock(...given: readonly [object?]): AsyncMethodDecorator<never, never> {
  assertCalledWithOptions(DECORATOR, given)
  const [options = {}] = given
  assertKnownOptions(options, NAMES, DECORATOR)
  const { key, keys, ...lockOptions } = options as WithLockOptions<never, never>
  const resolved = resolveLockOptions(lockOptions, DECORATOR)
  const namesOf = nameSource(key, keys)
  return methodDecorator(DECORATOR, (original, site) => {
    const where = (): string => `${DECORATOR}(${site.label})`
    const managerOf = managerFinder(site)
    const names = namesOf(site)
    let checkedFor: Locks | undefined
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const locks = locksOf(managerOf(this), where())
        if (checkedFor !== locks) locks.assertPossible(resolved, where())
        checkedFor = locks
        const scope = currentScope()
        const run = (): Promise<unknown> => invoke(original, this, args, where())
        // As part of the load that the call was part of before the lock was waited for.
        return locks.runWith(names(this, args), resolved, () =>
          scope === undefined ? run() : runLoad(scope, run),
        )
      },
    }
    return { method, operation: { kind: 'with-lock', options } }
  })
}

type Names = (self: unknown, args: Args) => LockKeys

/** @throws InvalidOptionError when both are given, or either is wrong */
function nameSource(key: unknown, keys: unknown): (site: MethodSite) => Names {
  if (keys !== undefined) {
    assertFunction(keys, `${DECORATOR}.keys`)
    if (key !== undefined) {
      const expected = 'either key or keys'
      throw new InvalidOptionError({ option: `${DECORATOR}.keys`, expected, received: keys })
    }
    const list = keys as (this: unknown, ...args: unknown[]) => readonly Key[]
    return () => (self, args) => list.apply(self, args as unknown[])
  }
  const sourceOf = keySource(key, `${DECORATOR}.key`)
  return (site) => {
    // The class is known from the first call on, which is before the first key is framed.
    const source = sourceOf((text) => `${site.label}:${text}`)
    return (self, args) => source.of(self, args)
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
