/** Where a decorated method's key comes from: a function, a template, or all its arguments. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { encodeArguments } from '../keys/encode-arguments.ts'
import { compileTemplate } from '../keys/key-template.ts'
import { type Key, keyText } from '../keys/key-text.ts'

/** Makes key texts. `ofOne` is `ofAll` for one argument, without the list: it is on the local-hit path. */
export interface KeySource {
  ofOne(argument: unknown): string
  ofAll(args: readonly unknown[]): string
}

/**
 * Reads the `key` option. `prefix` is asked at every call: it is known only after the first.
 *
 * @throws InvalidOptionError naming `option`.
 */
export function keySource(key: unknown, option: string, prefix: () => string): KeySource {
  if (key === undefined) {
    return {
      ofOne: (argument) => prefix() + encodeArguments([argument]),
      ofAll: (args) => prefix() + encodeArguments(args),
    }
  }
  if (typeof key === 'string') {
    const template = compileTemplate(key, option)
    return { ofOne: (argument) => template([argument]), ofAll: template }
  }
  if (typeof key === 'function') {
    const call = key as (...args: readonly unknown[]) => Key
    return { ofOne: (argument) => keyText(call(argument)), ofAll: (args) => keyText(call(...args)) }
  }
  throw new InvalidOptionError({
    option,
    expected: "a function of the method's arguments or a template such as 'product:{0}'",
    received: key,
  })
}
