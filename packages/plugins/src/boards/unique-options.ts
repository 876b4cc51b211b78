/** The options of counts of unique visitors, and their checks. */

import { InvalidOptionError } from '@larder/core'
import {
  assertInteger,
  assertKnownOptions,
  optionNames,
  orDefault,
  type UniqueRule,
} from '@larder/core/store'
import { type PeriodOptions, resolvePeriodOptions } from './common-options.ts'

export interface UniquesOptions extends PeriodOptions {
  /**
   * A secret of yours, of 16 bytes or characters at least, the same in all processes. Visitors are kept as digests made with it, so that what
   * is in the store does not tell who they are. With another salt, everybody is somebody else: change it no more often than the longest
   * time that you count over.
   */
  readonly salt: string | Uint8Array
  /**
   * A period with fewer visitors is counted exactly, which takes about 50 bytes for each of them; then it is estimated, in 12 kB. 0 to
   * 100 000. @default 1_000
   */
  readonly exactBelow?: number | undefined
}

const NAMES = optionNames<UniquesOptions>({
  name: true,
  per: true,
  timeZone: true,
  periods: true,
  storeTimeout: true,
  salt: true,
  exactBelow: true,
})

/** The defaults. */
export const UNIQUES_DEFAULTS = { exactBelow: 1_000 } as const satisfies Partial<UniquesOptions>

const WHERE = 'createUniques'
const LEAST_SALT = 16
const MOST_EXACT = 100_000

export interface ResolvedUniquesOptions {
  readonly rule: UniqueRule
  readonly timeoutMs: number
  readonly salt: string | Uint8Array
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong */
export function resolveUniquesOptions(options: UniquesOptions): ResolvedUniquesOptions {
  assertKnownOptions(options, NAMES, WHERE)
  const { name, rule, timeoutMs } = resolvePeriodOptions(options, WHERE)
  const exactBelow = orDefault(options.exactBelow, UNIQUES_DEFAULTS.exactBelow)
  assertInteger(exactBelow, `${WHERE}.exactBelow`, { min: 0, max: MOST_EXACT })
  const { salt } = options
  const isSalt = typeof salt === 'string' || salt instanceof Uint8Array
  if (!isSalt || salt.length < LEAST_SALT) {
    throw new InvalidOptionError({
      option: `${WHERE}.salt`,
      expected: `a secret of at least ${LEAST_SALT} characters or bytes`,
      received: isSalt ? undefined : salt,
      ...(isSalt ? { described: 'a shorter one' } : {}),
    })
  }
  // A copy: who wipes the bytes of a secret after use must not make everybody somebody else.
  const kept = typeof salt === 'string' ? salt : Uint8Array.from(salt)
  return { rule: { ...rule, uniques: name, exactBelow }, timeoutMs, salt: kept }
}
