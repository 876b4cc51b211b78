/** `@Cacheable({ each })`: a method over a list, with one entry for each element; the body sees only those missing. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { keyText } from '../keys/key-text.ts'
import type { CacheableParts } from './cacheable.ts'
import type { MethodCache } from './method-cache.ts'
import { invoke } from './method-decorator.ts'
import { currentSkip } from './skip-cache.ts'

/** Reads the list: found elements from the cache, missing ones by one call of the method. */
export async function readEach(
  parts: CacheableParts,
  cache: MethodCache,
  self: unknown,
  args: readonly unknown[],
): Promise<unknown[]> {
  const { binding, method, options, resultCall } = parts
  const { each } = options
  const [ids, ...rest] = args
  if (!Array.isArray(ids) || each === undefined) {
    throw new InvalidOptionError({
      option: `${binding.where}.each`,
      expected: 'a list as the first argument of the method',
      received: ids,
    })
  }
  const keyOf = (id: unknown): string => keyText(each.key(id, ...rest))
  const list = ids as readonly unknown[]
  const keys = list.map(keyOf)
  const skip = currentSkip()
  const found = await cache.getManyOrLoad(
    keys,
    async (missing) => {
      const asked = missing.map((index) => list[index])
      const items = await invoke(method, self, [asked, ...rest], binding.where)
      const wanted = missing.map((index) => keys[index] as string)
      return each.by === undefined
        ? inOrder(items, asked.length, binding.where)
        : byKey(items, wanted, (item) => keyOf(each.by?.(item)), binding.where)
    },
    resultCall(args, skip === undefined || skip === 'skip' ? 'normal' : skip),
  )
  return each.by === undefined
    ? [...found]
    : found.filter((item) => item !== undefined && item !== null)
}

function inOrder(items: unknown, length: number, where: string): readonly unknown[] {
  if (Array.isArray(items) && items.length === length) return items
  throw new InvalidOptionError({
    option: `${where} result`,
    expected: `an array of ${length}, one item for each element asked for (or give each.by)`,
    received: items,
  })
}

function byKey(
  items: unknown,
  wanted: readonly string[],
  keyOf: (item: unknown) => string,
  where: string,
): readonly unknown[] {
  if (!Array.isArray(items)) {
    throw new InvalidOptionError({
      option: `${where} result`,
      expected: 'an array',
      received: items,
    })
  }
  const byKeys = new Map(items.map((item: unknown) => [keyOf(item), item]))
  return wanted.map((key) => byKeys.get(key))
}
