/**
 * The options of an eviction, for each way to evict. One table: what a way takes, what it refuses and what the
 * tests try on every way are made of it.
 */

import { InvalidOptionError } from '../errors/option-error.ts'
import { assertBoolean, assertKnownOptions } from './assert-option.ts'
import { type Duration, parseDuration } from './duration.ts'
import { optionNames } from './option-names.ts'
import { orDefault } from './or-default.ts'

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
export interface ResolvedEvictOptions {
  readonly soft: boolean
  readonly settleMs: number
}

/** What an eviction of more than some keys takes. */
export type SoftOption = Pick<EvictOptions, 'soft'>

const NAMES = optionNames<EvictOptions>({ soft: true, settle: true })
const FOR_KEYS = ['soft', 'settle'] as const satisfies readonly (keyof EvictOptions)[]
const FOR_MANY = ['soft'] as const satisfies readonly (keyof SoftOption)[]

/** The defaults. */
export const EVICT_DEFAULTS = { soft: false, settle: 0 } as const satisfies EvictOptions

/**
 * Every way to evict. Tags, caches and patterns take no window: it concerns later loads, and it is unknown which keys are
 * that.
 */
export const EVICT_OPTIONS = {
  'cache.evict': FOR_KEYS,
  'cache.evictMany': FOR_KEYS,
  'cache.evictTags': FOR_MANY,
  'cache.evictPattern': FOR_MANY,
  'cache.clear': FOR_MANY,
  'manager.evictTags': FOR_MANY,
  'manager.clear': FOR_MANY,
  '@CacheEvict.key': FOR_KEYS,
  '@CacheEvict.keys': FOR_KEYS,
  '@CacheEvict.tags': FOR_MANY,
  '@CacheEvict.all': FOR_MANY,
  'cached.evict': [],
} as const satisfies Readonly<Record<string, readonly (keyof EvictOptions)[]>>

export type EvictWay = keyof typeof EVICT_OPTIONS

/** @throws InvalidOptionError naming the first option that is wrong, or that this way does not take. */
export function resolveEvictOptions(
  options: unknown,
  way: EvictWay,
  where: string,
): ResolvedEvictOptions {
  const names: readonly string[] = EVICT_OPTIONS[way]
  const given = options === undefined ? {} : options
  assertKnownOptions(given, NAMES, where)
  const { soft = EVICT_DEFAULTS.soft, settle } = given as EvictOptions
  if (settle !== undefined && !names.includes('settle')) {
    const expected = 'an eviction by key to go with it: a window is for keys that are known'
    throw new InvalidOptionError({ option: `${where}.settle`, expected, received: settle })
  }
  assertBoolean(soft, `${where}.soft`)
  return {
    soft,
    settleMs: parseDuration(orDefault(settle, EVICT_DEFAULTS.settle), `${where}.settle`),
  }
}
