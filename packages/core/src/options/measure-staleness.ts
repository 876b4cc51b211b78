/** The option `measureStaleness` of a manager. */

import { assertInteger, assertKnownOptions } from './assert-option.ts'
import { optionNames } from './option-names.ts'
import { orDefault } from './or-default.ts'

export interface MeasureStalenessOptions {
  /** One local hit in so many, on average, is compared. A whole number from 1 to 1 000 000 000. @default 1000 */
  readonly every?: number | undefined
}

/** The defaults. */
export const MEASURE_STALENESS_DEFAULTS = {
  every: 1_000,
} as const satisfies MeasureStalenessOptions

const NAMES = optionNames<MeasureStalenessOptions>({ every: true })
const BOUNDS = { min: 1, max: 1_000_000_000 }

/** Returns how many hits there are to a comparison. @throws InvalidOptionError */
export function resolveMeasureStaleness(options: MeasureStalenessOptions, where: string): number {
  assertKnownOptions(options, NAMES, where)
  const every = orDefault(options.every, MEASURE_STALENESS_DEFAULTS.every)
  assertInteger(every, `${where}.every`, BOUNDS)
  return every
}
