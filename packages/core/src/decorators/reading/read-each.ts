/** Reading a list: one entry per element of a method's first argument; the method only gets the missing ones. */

import { currentScope, isLoading, runLoad } from '../../cache/load-scope.ts'
import type { LoadContext, ReadMode, ReadRules } from '../../cache/read-call.ts'
import { InvalidOptionError } from '../../errors/option-error.ts'
import { currentSkip } from '../../lifecycle/call-context.ts'
import type { BoundCache } from '../bound/bound-cache.ts'
import { invoke } from '../bound/bound-method.ts'
import { type Callback, saysNo } from '../bound/callbacks.ts'
import { type AnyMethod, shapeOf } from '../bound/method-decorator.ts'
import { type CacheableParts, keyOf, stillGives } from './read-one.ts'

type Args = readonly unknown[]

/** What a wrapped `each` method needs. */
export interface CacheableEachParts extends CacheableParts {
  readonly by: Callback | undefined
}

/** Wraps a method over a list. */
export function wrapEach(parts: CacheableEachParts): AnyMethod {
  const { original, binding, condition } = parts
  const { method } = {
    async method(this: unknown, ...args: unknown[]): Promise<unknown> {
      const skip = currentSkip()
      const isOff =
        skip === 'skip' || (condition !== undefined && saysNo(condition, this, args, binding.where))
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
  mode: ReadMode,
): Promise<readonly unknown[]> {
  const { original, binding } = parts
  const bound = binding.bind(self)
  const { cache, provider, where } = bound
  const { label } = bound.receiver
  const list = elementsOf(bound, self, args)
  const outer = currentScope()
  const fullKeys = list.keys.map((key) => cache.fullKey(key))
  if (isLoading(outer, provider, fullKeys)) {
    return checkedList(await invoke(original, self, args, where), `the result of ${label}`)
  }
  const elements = list.ids.map((id, index) => {
    return new Element(bound, self, { id, rest: list.rest, text: list.keys[index] ?? '' })
  })
  const load = async (
    missing: readonly number[],
    context: LoadContext,
  ): Promise<readonly unknown[]> => {
    const asked = missing.map((index) => list.ids[index])
    const loading = runLoad({ provider, fullKeys, context, outer }, () => {
      for (const index of missing) elements[index]?.begin()
      return invoke(original, self, [asked, ...list.rest], where)
    })
    return itemsByKey(parts, { bound, self }, { ids: asked, rest: list.rest }, await loading)
  }
  const rules = elements.map((element) => {
    const own = bound.rules(self, element.args, mode)
    return element.canChange ? { ...own, keeps: () => element.keeps(own) } : own
  })
  const items = await cache.getManyOrLoad(list.keys, load, rules)
  return arranged(parts, list, items)
}

/** An element of a call: whether it and the further arguments are still those that its key was made of. */
class Element {
  readonly args: Args
  readonly canChange: boolean
  readonly #bound: BoundCache
  readonly #self: unknown
  readonly #text: string
  #isAsCalled = true

  constructor(
    bound: BoundCache,
    self: unknown,
    element: { readonly id: unknown; readonly rest: Args; readonly text: string },
  ) {
    this.args = [element.id, ...element.rest]
    this.canChange = bound.key.canChange(this.args)
    this.#bound = bound
    this.#self = self
    this.#text = element.text
  }

  /** Its load begins. */
  begin(): void {
    this.#isAsCalled = !this.canChange || this.#isUnchanged()
  }

  /** Whether its item may be kept. */
  keeps({ tagsOf, ttlOf, storeWhen }: ReadRules): boolean {
    const isSaying = tagsOf !== undefined || ttlOf !== undefined || storeWhen !== undefined
    return this.#isAsCalled && (!isSaying || this.#isUnchanged())
  }

  #isUnchanged(): boolean {
    return stillGives(this.#bound, this.#self, this.args, this.#text)
  }
}

/** The elements of a call: each once, with its key, and its places in the caller's list. */
export interface ElementList {
  readonly ids: readonly unknown[]
  readonly keys: readonly string[]
  readonly rest: Args
  /** For each element the caller gave, its index in the lists above. */
  readonly wanted: readonly number[]
}

/** @throws InvalidOptionError unless the first argument is an array. */
export function elementsOf(bound: BoundCache, self: unknown, args: Args): ElementList {
  const [given, ...rest] = args
  const ids: unknown[] = []
  const indexes = new Map<string, number>()
  const wanted = checkedList(given, `the first argument of ${bound.receiver.label}`).map((id) => {
    const key = keyOf(bound, self, [id, ...rest])
    const index = indexes.get(key) ?? indexes.size
    if (index === indexes.size) {
      indexes.set(key, index)
      ids.push(id)
    }
    return index
  })
  return { ids, keys: [...indexes.keys()], rest, wanted }
}

/** Puts items (one per element, in order) in the caller's order; with `by`, missing items are left out. */
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

/**
 * Takes the method's result and gives one item (or undefined) per element, in order. Items and elements are compared
 * by keys made at the same time, so that a change since then has changed both.
 */
export function itemsByKey(
  { by }: CacheableEachParts,
  { bound, self }: { readonly bound: BoundCache; readonly self: unknown },
  list: Pick<ElementList, 'ids' | 'rest'>,
  returned: unknown,
): readonly unknown[] {
  const { label } = bound.receiver
  const items = checkedList(returned, `the result of ${label}`)
  if (by === undefined) {
    if (items.length === list.ids.length) return items
    throw new InvalidOptionError({
      option: `the result of ${label}`,
      expected: `one item for each of the ${list.ids.length} elements asked for, in order (or give each.by)`,
      received: items,
    })
  }
  const found = new Map<string, unknown>()
  for (const item of items) {
    if (item === undefined || item === null) continue
    const text = keyOf(bound, self, [by.call(self, item), ...list.rest])
    if (found.has(text)) throw twoItems(label, items)
    found.set(text, item)
  }
  return list.ids.map((id) => found.get(keyOf(bound, self, [id, ...list.rest])))
}

/** Keeping one of them would lose the other silently. */
function twoItems(label: string, received: unknown): InvalidOptionError {
  return new InvalidOptionError({
    option: `the result of ${label}`,
    expected: 'at most one item for each element, told apart by each.by',
    received,
  })
}

function checkedList(value: unknown, option: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new InvalidOptionError({
    option,
    expected: 'an array',
    received: value,
    described: shapeOf(value),
  })
}
