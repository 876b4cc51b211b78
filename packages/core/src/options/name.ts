/** Names that become part of keys in shared stores: those of namespaces, caches and limiters. */

import { InvalidOptionError } from '../errors/option-error.ts'

const NAME = /^[A-Za-z0-9_.-]{1,64}$/

/** @throws InvalidOptionError for anything but 1 to 64 of `A-Z a-z 0-9 _ . -` */
export function assertName(name: unknown, option: string): asserts name is string {
  if (typeof name === 'string' && NAME.test(name)) return
  const expected = '1 to 64 letters, digits, "_", "." or "-"'
  throw new InvalidOptionError({ option, expected, received: name })
}
