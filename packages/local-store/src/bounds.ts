/** How much a local store may hold: what the options say, checked. */

import type { Size } from '@larder/core'
import { assertInteger, orDefault, parseSize } from '@larder/core/store'

export interface Bounds {
  readonly maxEntries: number
  /** Infinite when only the number of entries is bounded. */
  readonly maxBytes: number
}

export interface BoundOptions {
  readonly maxEntries?: number | undefined
  readonly maxBytes?: Size | undefined
}

const MOST_ENTRIES = 2 ** 24

/** @throws InvalidOptionError when one is out of range; `store` is the name it is told by. */
export function resolveBounds(
  options: BoundOptions,
  defaults: { readonly maxEntries: number },
  store: string,
): Bounds {
  const maxEntries = orDefault(options.maxEntries, defaults.maxEntries)
  assertInteger(maxEntries, `${store}.maxEntries`, { min: 1, max: MOST_ENTRIES })
  const maxBytes =
    options.maxBytes === undefined
      ? Number.POSITIVE_INFINITY
      : parseSize(options.maxBytes, `${store}.maxBytes`)
  return { maxEntries, maxBytes }
}
