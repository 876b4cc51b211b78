/** The options of maps, sets and lists, and their checks. */

import { type Duration, InvalidOptionError, type Size } from '@larder/core'
import {
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  optionNames,
  orDefault,
  parseDuration,
  parseSize,
  type StructureRule,
} from '@larder/core/store'

/** Options of lists. Those of maps and sets have one more. */
export interface ListOptions {
  /**
   * Tells what one manager has apart, and is part of the store's keys. 1 to 40 of `A-Z a-z 0-9 _ . -`. All processes that use one
   * name must give the same options.
   */
  readonly name: string
  /** How long a structure lives after its last change. 1 ms to 10 years. */
  readonly ttl: Duration
  /** How many items a structure has at most. 1 to 10 000. @default 1_000 */
  readonly most?: number | undefined
  /** The largest encoded item that is taken; a larger one is refused. 1 byte to 16 MB. @default '64kb' */
  readonly maxItemBytes?: Size | undefined
  /**
   * Reads are answered from a copy of the whole structure in this process. A change drops the copies of all nodes, if the process that makes
   * it has this option as well. Any other change is seen when the copy is so old, and so is a change whose process dies in the middle of it.
   * 1 ms to 1 d. Needs a local store, and
   * where structures are in Redis, a remote store that numbers changes. @default no copy
   */
  readonly localCopy?: Duration | undefined
  /** How long one call to the store may take. 1 ms to 1 min. @default '1s' */
  readonly storeTimeout?: Duration | undefined
}

/** Options of maps and sets. */
export interface StructureOptions extends ListOptions {
  /** What becomes of a new item when there is no room: it is refused, or the one that was put first is dropped. @default 'refuse' */
  readonly whenFull?: 'refuse' | 'drop' | undefined
}

/** The defaults. */
export const STRUCTURE_DEFAULTS = {
  most: 1_000,
  maxItemBytes: '64kb',
  storeTimeout: '1s',
  whenFull: 'refuse',
} as const satisfies Partial<StructureOptions>

export type StructureKind = 'map' | 'set' | 'list'

export interface ResolvedStructureOptions {
  readonly kind: StructureKind
  readonly name: string
  readonly rule: StructureRule
  readonly timeoutMs: number
  readonly maxItemBytes: number
  /** Absent for no copy. */
  readonly copyMs: number | undefined
}

const LIST_NAMES = optionNames<ListOptions>({
  name: true,
  ttl: true,
  most: true,
  maxItemBytes: true,
  localCopy: true,
  storeTimeout: true,
})
const NAMES: readonly string[] = [...LIST_NAMES, 'whenFull']

const WHERE = { map: 'createMap', set: 'createSet', list: 'createList' } as const
const NAME = /^[A-Za-z0-9_.-]{1,40}$/
const MOST_ITEMS = 10_000
const MOST_BYTES = 16 * 1_024 ** 2
const MS_PER_DAY = 86_400_000
const LONGEST_MS = 3_650 * MS_PER_DAY

/** @throws InvalidOptionError naming the first option that is unknown or wrong */
export function resolveStructureOptions(
  kind: StructureKind,
  options: StructureOptions,
): ResolvedStructureOptions {
  const where = WHERE[kind]
  assertKnownOptions(options, kind === 'list' ? LIST_NAMES : NAMES, where)
  const { name, ttl, localCopy } = options
  if (typeof name !== 'string' || !NAME.test(name)) {
    const expected = '1 to 40 letters, digits, "_", "." or "-"'
    throw new InvalidOptionError({ option: `${where}.name`, expected, received: name })
  }
  const most = orDefault(options.most, STRUCTURE_DEFAULTS.most)
  assertInteger(most, `${where}.most`, { min: 1, max: MOST_ITEMS })
  const whenFull = orDefault(options.whenFull, STRUCTURE_DEFAULTS.whenFull)
  assertOneOf(whenFull, ['refuse', 'drop'], `${where}.whenFull`)
  const timeout = orDefault(options.storeTimeout, STRUCTURE_DEFAULTS.storeTimeout)
  return {
    kind,
    name,
    rule: {
      structure: `${kind}.${name}`,
      ttlMs: parseDuration(ttl, `${where}.ttl`, { min: 1, max: LONGEST_MS }),
      most,
      whenFull: kind === 'list' ? 'drop' : whenFull,
    },
    timeoutMs: parseDuration(timeout, `${where}.storeTimeout`, { min: 1, max: 60_000 }),
    maxItemBytes: itemBytes(options.maxItemBytes, `${where}.maxItemBytes`),
    copyMs:
      localCopy === undefined
        ? undefined
        : parseDuration(localCopy, `${where}.localCopy`, { min: 1, max: MS_PER_DAY }),
  }
}

function itemBytes(size: Size | undefined, option: string): number {
  const bytes = parseSize(orDefault(size, STRUCTURE_DEFAULTS.maxItemBytes), option)
  if (bytes <= MOST_BYTES) return bytes
  throw new InvalidOptionError({ option, expected: 'a size of at most 16mb', received: size })
}
