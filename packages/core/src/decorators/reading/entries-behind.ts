/** Makes the handles on the entries behind `@Cacheable` methods. */

import { InvalidOptionError } from '../../errors/option-error.ts'
import type { BoundCache } from '../bound/bound-cache.ts'
import type { MethodEviction } from '../bound/method-cache.ts'
import type { AnyMethodEntries } from './entry-handle.ts'
import { arranged, type CacheableEachParts, elementsOf, itemsByKey, readEach } from './read-each.ts'
import { type CacheableParts, keyOf, loadOne } from './read-one.ts'

/** Makes the handle of a method with one entry per call. */
export function entriesOfOne(parts: CacheableParts, self: unknown): AnyMethodEntries {
  const { binding } = parts
  const at = (args: readonly unknown[]): { readonly bound: BoundCache; readonly text: string } => {
    const bound = binding.bind(self)
    return { bound, text: keyOf(bound, self, args) }
  }
  return {
    key: (...args) => {
      const { bound, text } = at(args)
      return bound.cache.fullKey(text)
    },
    peek: async (...args) => {
      const { bound, text } = at(args)
      return bound.cache.peek(text)
    },
    evict: async (...args) => {
      const { bound, text } = at(args)
      await bound.cache.evict(evictionOf([text]))
    },
    refresh: async (...args) => {
      const { bound, text } = at(args)
      return loadOne(parts, bound, { self, args, text, mode: 'refresh' })
    },
    set: async (args, value) => {
      const { bound, text } = at(args)
      await bound.cache.put(text, value, bound.rules(self, args, 'normal'), undefined)
    },
  }
}

/** Makes the handle of a method with one entry per element. */
export function entriesOfEach(parts: CacheableEachParts, self: unknown): AnyMethodEntries {
  const { binding } = parts
  return {
    key: (...args) => {
      const bound = binding.bind(self)
      const { keys } = elementsOf(bound, self, args)
      const [only] = keys
      if (only !== undefined && keys.length === 1) return bound.cache.fullKey(only)
      throw new InvalidOptionError({
        option: `cached(${bound.where}).key`,
        expected: 'a list of one element, because every element has a key of its own',
        received: args[0],
      })
    },
    peek: async (...args) => {
      const bound = binding.bind(self)
      const { cache } = bound
      const list = elementsOf(bound, self, args)
      return arranged(parts, list, await Promise.all(list.keys.map((key) => cache.peek(key))))
    },
    evict: async (...args) => {
      const bound = binding.bind(self)
      await bound.cache.evict(evictionOf(elementsOf(bound, self, args).keys))
    },
    refresh: (...args) => readEach(parts, self, args, 'refresh'),
    set: async (args, value) => {
      const bound = binding.bind(self)
      const { cache } = bound
      const list = elementsOf(bound, self, args)
      // Without `by`, a value from a caller matches the list as the caller wrote it, with repetitions.
      const keys = list.wanted.map((index) => list.keys[index] ?? '')
      const ids = list.wanted.map((index) => list.ids[index])
      const items = itemsByKey(parts, { bound, self }, { ids, rest: list.rest }, value)
      const valueByKey = new Map(keys.map((key, index) => [key, items[index]]))
      const puts = list.keys.map((key, index) => {
        const rules = bound.rules(self, [list.ids[index], ...list.rest], 'normal')
        return cache.put(key, valueByKey.get(key), rules, undefined)
      })
      await Promise.all(puts)
    },
  }
}

/** Evicts keys, and nothing else. */
export function evictionOf(keys: readonly string[]): MethodEviction {
  return { keys, tags: [], all: false, soft: false, settleMs: 0 }
}
