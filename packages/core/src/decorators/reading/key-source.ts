/** Where a decorated method's key comes from: a function, a template, or all its arguments. */

import { InvalidOptionError } from '../../errors/option-error.ts'
import { encodeArguments } from '../../keys/encode-arguments.ts'
import { isSoleArgument, type KeyFrame, NO_FRAME, type SoleArgument } from '../../keys/key-frame.ts'
import { compileTemplate } from '../../keys/key-template.ts'
import { type Key, keyText, looseKeyText } from '../../keys/key-text.ts'
import { Recent } from '../../keys/recent.ts'
import { assertSynchronous } from '../bound/callbacks.ts'

/** Makes key texts. `self` is the `this` of key functions. */
export interface KeySource {
  /**
   * For up to three arguments, without a list of them: this is the local-hit path. Lone surrogates are left to the cache,
   * which remembers its result per text.
   */
  few(self: unknown, count: number, a: unknown, b: unknown, c: unknown): string
  of(self: unknown, args: readonly unknown[]): string
  /** False where the same arguments always make the same key: nothing in them can change. */
  canChange(args: readonly unknown[]): boolean
  /** What stands around the arguments in a default key; `undefined` for any other. */
  readonly frame: KeyFrame | undefined
}

/** `default`: method and arguments; `arguments`: a text from the arguments; `object`: that and something of `this`. */
export type KeyKind = 'default' | 'arguments' | 'object'

/** What a key is made of; see `KeyKind`. A function that contains `this` is assumed to distinguish objects. */
export function keyKindOf(key: unknown): KeyKind {
  if (key === undefined) return 'default'
  if (typeof key !== 'function') return 'arguments'
  // An arrow function has no prototype of its own and no `this` of the call; neither has a bound one.
  const text = Function.prototype.toString.call(key)
  const isArrow = ARROW.test(text)
  return !isArrow && SAYS_THIS.test(text) ? 'object' : 'arguments'
}

const ARROW = /^(?:async\s*)?(?:\([\s\S]*?\)|[\w$]+)\s*=>/
const SAYS_THIS = /\bthis\b/

/** The most arguments that `few` takes. */
export const FEW = 3

/**
 * Reads a `key` option. Only default keys are framed; a user's key is not changed.
 *
 * @throws InvalidOptionError naming `option`.
 */
export function keySource(key: unknown, option: string): (frame?: KeyFrame) => KeySource {
  if (key === undefined) return fromArguments
  if (typeof key === 'string') return always(fromTemplate(key, option))
  assertSynchronous(key, option)
  if (typeof key === 'function') return always(fromFunction(key as (...args: unknown[]) => Key))
  throw new InvalidOptionError({
    option,
    expected: "a function of the method's arguments or a template such as 'product:{0}'",
    received: key,
  })
}

function always(source: KeySource): () => KeySource {
  return () => source
}

function fromArguments(frame: KeyFrame = NO_FRAME): KeySource {
  const { before, after } = frame
  const textOf = (args: readonly unknown[]): string => before + encodeArguments(args) + after
  const recent = new Recent((only: SoleArgument) => textOf([only]))
  return {
    frame,
    // biome-ignore lint/complexity/useMaxParams: on the way of every local hit, without a list of the arguments
    few: (_self, count, a, b, c) =>
      count === 1 && isSoleArgument(a) ? recent.of(a) : textOf(listOf(count, a, b, c)),
    of: (_self, args) => textOf(args),
    canChange: hasObject,
  }
}

function fromTemplate(template: string, option: string): KeySource {
  const textOf = compileTemplate(template, option)
  return {
    frame: undefined,
    // biome-ignore lint/complexity/useMaxParams: on the way of every local hit, without a list of the arguments
    few: (_self, count, a, b, c) => textOf(listOf(count, a, b, c)),
    of: (_self, args) => textOf(args),
    canChange: hasObject,
  }
}

function fromFunction(key: (this: unknown, ...args: unknown[]) => Key): KeySource {
  return {
    frame: undefined,
    // biome-ignore lint/complexity/useMaxParams: on the way of every local hit, without a list of the arguments
    few: (self, count, a, b, c) => {
      if (count === 1) return looseKeyText(key.call(self, a))
      if (count === 2) return looseKeyText(key.call(self, a, b))
      if (count === 3) return looseKeyText(key.call(self, a, b, c))
      return looseKeyText(key.call(self))
    },
    of: (self, args) => keyText(key.apply(self, args as unknown[])),
    // It may read the object or something else.
    canChange: () => true,
  }
}

function hasObject(args: readonly unknown[]): boolean {
  return args.some((argument) => typeof argument === 'object' && argument !== null)
}

/** The arguments as a list, for up to three; `Array.from` goes through an iterator. */
export function listOf(count: number, a: unknown, b: unknown, c: unknown): readonly unknown[] {
  if (count === 1) return [a]
  if (count === 2) return [a, b]
  return count === 3 ? [a, b, c] : []
}
