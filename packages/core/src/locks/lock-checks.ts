/** Refuses, before any caller waits, what a lock cannot do. */

import type { LockProvider } from '../contracts/lock-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { Hold } from './hold.ts'
import type { ResolvedLockOptions } from './lock-options.ts'

/** The providers that would have to do it. */
export interface LockMeans {
  readonly provider: LockProvider
  /** For `onUnavailable: 'local'`. */
  readonly fallback: LockProvider | undefined
}

/** @throws InvalidOptionError for what the provider cannot do */
export function assertPossible(
  { mode, weight, fallsBack, replicas }: ResolvedLockOptions,
  { provider, fallback }: LockMeans,
  where: string,
): void {
  const { name, capabilities } = provider
  if (!capabilities.modes.includes(mode)) {
    throw impossible(`${where}.mode`, capabilities.modes.join(' or '), name, mode)
  }
  if (replicas !== undefined && !capabilities.replicas) {
    throw impossible(`${where}.replicas`, 'no replicas', name, replicas.min)
  }
  if (weight > 1 && capabilities.weights !== true) {
    throw impossible(`${where}.weight`, 'no weight but 1', name, weight)
  }
  if (!fallsBack || !capabilities.shared || fallback !== undefined) return
  throw new InvalidOptionError({
    option: `${where}.onUnavailable`,
    expected: "'throw', or a manager with an in-process store such as local: lruStore()",
    received: 'local',
  })
}

/** @throws InvalidOptionError where a share would get less from the held lock than it asks for */
export function assertCovers(hold: Hold, { mode, weight, replicas }: ResolvedLockOptions): void {
  const { name, mode: held, weight: heldWeight = 1 } = hold.target
  if (held !== mode && !(held === 'write' && mode === 'read')) {
    throw new InvalidOptionError({
      option: `the mode of lock ${name}`,
      expected: `${held}, in which the running code holds it already: two that wait to become writers would wait for each other`,
      received: mode,
    })
  }
  if (mode === 'permit' && weight > heldWeight) {
    throw new InvalidOptionError({
      option: `the weight of lock ${name}`,
      expected: `at most ${heldWeight}, which the running code holds already: two that wait for more would wait for each other`,
      received: weight,
    })
  }
  if (replicas !== undefined && hold.replicas < replicas.min) {
    throw new InvalidOptionError({
      option: `the replicas of lock ${name}`,
      expected: `at most ${hold.replicas}, with which the running code holds it already`,
      received: replicas.min,
    })
  }
}

function impossible(
  option: string,
  can: string,
  provider: string,
  received: unknown,
): InvalidOptionError {
  const expected = `${can}: the lock provider ${provider} supports nothing else`
  return new InvalidOptionError({ option, expected, received })
}
