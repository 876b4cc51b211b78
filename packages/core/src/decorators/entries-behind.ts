/** Makes the handles on the entries behind `@Cacheable` methods. */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { EntryHandle } from './entry-handle.ts'
import type { EvictCall } from './method-cache.ts'
import { arranged, type CacheableEachParts, elementsOf, itemsByKey, readEach } from './read-each.ts'
import { type CacheableOneParts, MethodSource } from './read-one.ts'

/** Makes the handle of a method with one entry a call. */
export function entriesOfOne(parts: CacheableOneParts, self: unknown): EntryHandle {
  const { binding, key, rules } = parts
  return {
    key: (...args) => binding.bind(self).fullKey(key.of(self, args)),
    peek: async (...args) => binding.bind(self).peek(key.of(self, args)),
    evict: async (...args) => {
      await binding.bind(self).evict(evictionOf([key.of(self, args)]))
    },
    refresh: async (...args) => {
      const cache = binding.bind(self)
      const text = key.of(self, args)
      const source = new MethodSource(parts, self, args, cache.fullKey(text))
      return cache.getOrLoad(text, source, rules(self, args, 'refresh'))
    },
    set: async (args, value) => {
      const cache = binding.bind(self)
      await cache.put(key.of(self, args), value, rules(self, args, 'normal'), undefined)
    },
  }
}

/** Makes the handle of a method with one entry an element. */
export function entriesOfEach(parts: CacheableEachParts, self: unknown): EntryHandle {
  const { binding, rules } = parts
  return {
    key: (...args) => {
      const cache = binding.bind(self)
      const { keys } = elementsOf(parts, self, args)
      const [only] = keys
      if (only !== undefined && keys.length === 1) return cache.fullKey(only)
      throw new InvalidOptionError({
        option: `cached(${binding.where}).key`,
        expected: 'a list of one element, because every element has a key of its own',
        received: args[0],
      })
    },
    peek: async (...args) => {
      const cache = binding.bind(self)
      const list = elementsOf(parts, self, args)
      return arranged(parts, list, await Promise.all(list.keys.map((key) => cache.peek(key))))
    },
    evict: async (...args) => {
      await binding.bind(self).evict(evictionOf(elementsOf(parts, self, args).keys))
    },
    refresh: (...args) => readEach(parts, self, args, 'refresh'),
    set: async (args, value) => {
      const cache = binding.bind(self)
      const list = elementsOf(parts, self, args)
      // Without `by`, what a caller gives matches the list as the caller wrote it, repetitions included.
      const keys = list.wanted.map((index) => list.keys[index] ?? '')
      const items = itemsByKey(parts, self, { keys, rest: list.rest }, value)
      const valueByKey = new Map(keys.map((key, index) => [key, items[index]]))
      const puts = list.keys.map((key, index) => {
        const call = rules(self, [list.ids[index], ...list.rest], 'normal')
        return cache.put(key, valueByKey.get(key), call, undefined)
      })
      await Promise.all(puts)
    },
  }
}

function evictionOf(keys: readonly string[]): EvictCall {
  return { keys, tags: [], all: false, soft: false, settleMs: 0 }
}
