/** Reading a list: one entry for each element of a method's first argument; the body sees only those missing. */

import type { LoadContext } from '../cache/read-call.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { KeySource } from './key-source.ts'
import { currentScope, isLoading, runLoad } from './load-scope.ts'
import type { MethodCall } from './method-cache.ts'
import { type AnyMethod, invoke, shapeOf } from './method-decorator.ts'
import type { CacheableParts } from './read-one.ts'
import { currentSkip } from './skip-cache.ts'
import type { Callback } from './storing-options.ts'

type Args = readonly unknown[]

/** What a wrapped `each` method needs. */
export interface CacheableEachParts extends CacheableParts {
  readonly key: KeySource
  readonly by: Callback | undefined
}

/** Wraps a method over a list. */
export function wrapEach(parts: CacheableEachParts): AnyMethod {
  const { original, binding, condition } = parts
  const { method } = {
    async method(this: unknown, ...args: unknown[]): Promise<unknown> {
      const skip = currentSkip()
      const isOff = skip === 'skip' || condition?.apply(this, args) === false
      if (isOff) return invoke(original, this, args, binding.where)
      return readEach(parts, this, args, skip ?? 'normal')
    },
  }
  return method
}

/** Reads a list: found elements from the cache, missing ones by one call of the method. */
export async function readEach(
  parts: CacheableEachParts,
  self: unknown,
  args: Args,
  mode: MethodCall['mode'],
): Promise<readonly unknown[]> {
  const { original, binding, rules } = parts
  const cache = binding.bind(self)
  const { provider } = binding
  const list = elementsOf(parts, self, args)
  const outer = currentScope()
  const fullKeys = list.keys.map((key) => cache.fullKey(key))
  if (isLoading(outer, provider, fullKeys)) {
    return checkedList(
      await invoke(original, self, args, binding.where),
      `the result of ${binding.label}`,
    )
  }
  const load = async (
    missing: readonly number[],
    context: LoadContext,
  ): Promise<readonly unknown[]> => {
    const asked = missing.map((index) => list.ids[index])
    const keys = missing.map((index) => list.keys[index] ?? '')
    const loading = runLoad({ provider, fullKeys, context, outer }, () =>
      invoke(original, self, [asked, ...list.rest], binding.where),
    )
    return itemsByKey(parts, self, { keys, rest: list.rest }, await loading)
  }
  const calls = list.ids.map((id) => rules(self, [id, ...list.rest], mode))
  const items = await cache.getManyOrLoad(list.keys, load, calls)
  return arranged(parts, list, items)
}

/** The elements of a call: each once, with its key, and where the caller wants it. */
export interface ElementList {
  readonly ids: readonly unknown[]
  readonly keys: readonly string[]
  readonly rest: Args
  /** For each element the caller gave, its index in the lists above. */
  readonly wanted: readonly number[]
}

/** @throws InvalidOptionError unless the first argument is an array. */
export function elementsOf(parts: CacheableEachParts, self: unknown, args: Args): ElementList {
  const [given, ...rest] = args
  const ids: unknown[] = []
  const indexes = new Map<string, number>()
  const wanted = checkedList(given, `the first argument of ${parts.binding.label}`).map((id) => {
    const key = parts.key.of(self, [id, ...rest])
    const index = indexes.get(key) ?? indexes.size
    if (index === indexes.size) {
      indexes.set(key, index)
      ids.push(id)
    }
    return index
  })
  return { ids, keys: [...indexes.keys()], rest, wanted }
}

/** Puts items (one for each element, in order) in the caller's order, with `by` without those there are none of. */
export function arranged(
  parts: CacheableEachParts,
  list: ElementList,
  items: readonly unknown[],
): readonly unknown[] {
  const found = list.wanted.map((index) => items[index])
  return parts.by === undefined
    ? found
    : found.filter((item) => item !== undefined && item !== null)
}

/** Takes what the method returned and gives one item (or nothing) for each key, in order. */
export function itemsByKey(
  { binding, by, key }: CacheableEachParts,
  self: unknown,
  list: Pick<ElementList, 'keys' | 'rest'>,
  returned: unknown,
): readonly unknown[] {
  const items = checkedList(returned, `the result of ${binding.label}`)
  if (by === undefined) {
    if (items.length === list.keys.length) return items
    throw new InvalidOptionError({
      option: `the result of ${binding.label}`,
      expected: `one item for each of the ${list.keys.length} elements asked for, in order (or give each.by)`,
      received: items,
    })
  }
  const found = new Map<string, unknown>()
  for (const item of items) {
    if (item === undefined || item === null) continue
    const text = key.of(self, [by.call(self, item), ...list.rest])
    if (found.has(text)) throw twoItems(binding.label, items)
    found.set(text, item)
  }
  return list.keys.map((text) => found.get(text))
}

/** Keeping one of them would lose the other without a word. */
function twoItems(label: string, received: unknown): InvalidOptionError {
  return new InvalidOptionError({
    option: `the result of ${label}`,
    expected: 'at most one item for each element, told apart by each.by',
    received,
  })
}

function checkedList(value: unknown, option: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new InvalidOptionError({ option, expected: 'an array', received: shapeOf(value) })
}
