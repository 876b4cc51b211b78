/** Which form a value is written in: what makes writing it and reading it back cheaper. */

import type { PlainParts } from '@larder/core/store'

/**
 * What JSON saves for each part, written and read once, in nanoseconds; below zero it costs more. Measured on one machine
 * (docs/design/speed.md): names, above all ones that do not repeat, and short texts are V8's strong side; numbers and long texts
 * MessagePack's, whose texts are copied as they are, unless they have to be made of UTF-8.
 */
const SAVED_NS: Readonly<Record<Exclude<keyof PlainParts, 'isJson'>, number>> = {
  names: 15,
  newNames: 75,
  shortTexts: 60,
  longCharacters: -1,
  wideCharacters: 2,
  wholeNumbers: -9,
  otherNumbers: -45,
}

/** Below this, the fewer bytes of MessagePack are worth more. */
const WORTH_NS = 1_500

/** Tells whether plain data is better written as JSON than as MessagePack. */
export function isBetterAsJson(parts: PlainParts): boolean {
  if (!parts.isJson) return false
  const saved =
    SAVED_NS.names * parts.names +
    SAVED_NS.newNames * parts.newNames +
    SAVED_NS.shortTexts * parts.shortTexts +
    SAVED_NS.longCharacters * parts.longCharacters +
    SAVED_NS.wideCharacters * parts.wideCharacters +
    SAVED_NS.wholeNumbers * parts.wholeNumbers +
    SAVED_NS.otherNumbers * parts.otherNumbers
  return saved > WORTH_NS
}
