/** Callbacks of options: what is asked of them, and answers that are none. */

import { InvalidOptionError } from '../../errors/option-error.ts'
import { assertFunction } from '../../options/assert-option.ts'

/** A callback as it is at run time, types erased; `this` is the object whose method was called. */
export type Callback = (this: unknown, ...args: unknown[]) => unknown

const SYNCHRONOUS = 'a function that answers at once, not with a promise'

/** Returns an option if it is a function. */
export function callback(option: unknown): Callback | undefined {
  return typeof option === 'function' ? (option as Callback) : undefined
}

/**
 * Reads an option that has to be a function, if it is given.
 *
 * @throws InvalidOptionError for anything else, and for an async function: its answer would come too late to count.
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
 * Returns what a callback answered, if that is no promise.
 *
 * @throws InvalidOptionError
 */
export function answered(answer: unknown, option: string): unknown {
  if (!isThenable(answer)) return answer
  // Nobody waits for it: what it rejects with is not to end the process.
  answer.then(undefined, () => undefined)
  throw new InvalidOptionError({ option, expected: SYNCHRONOUS, received: answer })
}

/** True when a `condition` says no. @throws what it throws; InvalidOptionError for a promise */
export function saysNo(
  condition: Callback | undefined,
  self: unknown,
  args: readonly unknown[],
  where: string,
): boolean {
  if (condition === undefined) return false
  return answered(condition.apply(self, [...args]), `${where}.condition`) === false
}

/** True for anything that can be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
