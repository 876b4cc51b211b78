/** What `caches.ready()` takes. */

import { assertKnownOptions } from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import { orDefault } from '../options/or-default.ts'

export interface ReadyOptions {
  /** How long to wait for the remote store. 1 ms to 1 h. @default '10s' */
  readonly timeout?: Duration | undefined
}

/** The defaults. */
export const READY_DEFAULTS = { timeout: '10s' } as const satisfies ReadyOptions

const WHERE = 'ready'
const NAMES = optionNames<ReadyOptions>({ timeout: true })
const BOUNDS = { min: 1, max: 3_600_000 }

/** Returns the timeout, ms. @throws InvalidOptionError */
export function resolveReadyOptions(options: ReadyOptions): number {
  assertKnownOptions(options, NAMES, WHERE)
  return parseDuration(
    orDefault(options.timeout, READY_DEFAULTS.timeout),
    `${WHERE}.timeout`,
    BOUNDS,
  )
}
