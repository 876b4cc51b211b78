/** Callbacks of options: checks of what is given and of what they return. */

import { InvalidOptionError } from '../../errors/option-error.ts'
import { isThenable } from '../../lifecycle/is-thenable.ts'
import { assertFunction } from '../../options/assert-option.ts'

/** A callback as it is at run time, types erased; `this` is the object whose method was called. */
export type Callback = (this: unknown, ...args: unknown[]) => unknown

const SYNCHRONOUS = 'a function that answers at once, not with a promise'

/** Returns an option if it is a function. */
export function callback(option: unknown): Callback | undefined {
  return typeof option === 'function' ? (option as Callback) : undefined
}

/**
 * Reads an option that must be a function, if it is given.
 *
 * @throws InvalidOptionError for anything else, and for an async function: its answer would come too late.
 */
export function readCallback(value: unknown, option: string): Callback | undefined {
  if (value === undefined) return undefined
  assertFunction(value, option)
  assertSynchronous(value, option)
  return value as Callback
}

/** @throws InvalidOptionError for an async function */
export function assertSynchronous(value: unknown, option: string): void {
  if (Object.prototype.toString.call(value) !== '[object AsyncFunction]') return
  throw new InvalidOptionError({ option, expected: SYNCHRONOUS, received: value })
}

/**
 * Returns what a callback returned, if that is not a promise.
 *
 * @throws InvalidOptionError
 */
export function answered(answer: unknown, option: string): unknown {
  if (!isThenable(answer)) return answer
  // Nothing awaits this promise: its rejection must not end the process.
  answer.then(undefined, () => undefined)
  throw new InvalidOptionError({ option, expected: SYNCHRONOUS, received: answer })
}

/** True when a `condition` returns false. @throws what it throws; InvalidOptionError for a promise */
export function saysNo(
  condition: Callback,
  self: unknown,
  args: readonly unknown[],
  where: string,
): boolean {
  return answered(condition.apply(self, [...args]), `${where}.condition`) === false
}
