/**
 * What may be said of an eviction, by the way it is asked for. One table: what a way takes, what it refuses and what the
 * tests try on every way are made of it.
 */

import { InvalidOptionError } from '../errors/option-error.ts'
import { assertBoolean, assertKnownOptions } from './assert-option.ts'
import { type Duration, parseDuration } from './duration.ts'

export interface EvictOptions {
  /** Keep the value for when loads fail (`staleIfError`) instead of removing it. @default false */
  readonly soft?: boolean | undefined
  /**
   * For an eviction issued before its transaction commits, or in front of a lagging replica: values loaded within this
   * window are handed out but kept no longer than it. @default 0
   */
  readonly settle?: Duration | undefined
}

/** The checked form. */
export interface EvictHow {
  readonly soft: boolean
  readonly settleMs: number
}

const FOR_KEYS = ['soft', 'settle'] as const satisfies readonly (keyof EvictOptions)[]

/**
 * Every way to evict. Tags, caches and patterns take no options: whether an entry carries a tag is found out when it is
 * read, so there is nothing to soften and no place for a window.
 */
export const EVICT_OPTIONS = {
  'cache.evict': FOR_KEYS,
  'cache.evictMany': FOR_KEYS,
  'cache.evictTags': [],
  'cache.evictPattern': [],
  'cache.clear': [],
  'manager.evictTags': [],
  'manager.clear': [],
  '@CacheEvict.key': FOR_KEYS,
  '@CacheEvict.keys': FOR_KEYS,
  '@CacheEvict.tags': [],
  '@CacheEvict.all': [],
  'cached.evict': [],
} as const satisfies Readonly<Record<string, readonly (keyof EvictOptions)[]>>

export type EvictWay = keyof typeof EVICT_OPTIONS

/** @throws InvalidOptionError naming the first option that is wrong, or that this way does not take. */
export function resolveEvictOptions(options: unknown, way: EvictWay, where: string): EvictHow {
  const names: readonly string[] = EVICT_OPTIONS[way]
  if (names.length === 0) {
    if (options === undefined) return { soft: false, settleMs: 0 }
    const expected = 'no options: softness and settle windows are for evictions by key'
    throw new InvalidOptionError({ option: `${where}.options`, expected, received: options })
  }
  const given = options === undefined ? {} : options
  assertKnownOptions(given, names, where)
  const { soft = false, settle = 0 } = given as EvictOptions
  assertBoolean(soft, `${where}.soft`)
  return { soft, settleMs: parseDuration(settle, `${where}.settle`) }
}
