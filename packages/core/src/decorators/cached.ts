/** `cached(instance, 'method')`: the entries behind a `@Cacheable` method. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { keyText } from '../keys/key-text.ts'
import type { CacheableParts } from './cacheable.ts'
import { invoke } from './method-decorator.ts'
import { operationsOf } from './operations.ts'

// biome-ignore lint/suspicious/noExplicitAny: matches every method, so that its own types can be read off.
type AnyAsync = (...args: any[]) => Promise<unknown>

/** Names of the methods that return promises. */
export type AsyncMethodName<Target> = {
  [Name in keyof Target]: Target[Name] extends AnyAsync ? Name : never
}[keyof Target]

/** The entries behind a method, by the method's own arguments. */
export interface MethodEntries<Args extends readonly unknown[], Result> {
  /** The full key of a call's entry. */
  key(...args: Args): string
  /** What is cached and may be served now, without loading. */
  peek(...args: Args): Promise<Result | undefined>
  /** Evicts a call's entry everywhere. */
  evict(...args: Args): Promise<void>
  /** Runs the method and caches what it returns, whatever was cached. */
  refresh(...args: Args): Promise<Result>
  /** Caches a value as if a call had returned it. */
  set(args: Args, value: Result): Promise<void>
}

/** `MethodEntries` with its types erased. */
export type EntryHandle = MethodEntries<readonly unknown[], unknown>

/**
 * Returns the entries behind a `@Cacheable` method of an instance, or of a class for a static one.
 *
 * For a method with `each`, the arguments are one element of the list and the further arguments.
 *
 * @throws InvalidOptionError when the method is not decorated with `@Cacheable`.
 * @example await cached(products, 'find').evict('42')
 */
export function cached<Target extends object, Name extends AsyncMethodName<Target>>(
  target: Target,
  name: Name,
): Target[Name] extends (...args: infer Args) => Promise<infer Result>
  ? MethodEntries<Args, Result>
  : never {
  const method: unknown = target[name]
  const operations = typeof method === 'function' ? operationsOf(method) : []
  const entries = operations.find((operation) => operation.entries !== undefined)?.entries
  if (entries === undefined) {
    throw new InvalidOptionError({
      option: `cached(${String(name)})`,
      expected: 'the name of a method decorated with @Cacheable',
      received: name,
    })
  }
  return entries(target) as never
}

/** Makes the handle of one decorated method on one object. */
export function entryHandle(parts: CacheableParts & { readonly self: unknown }): EntryHandle {
  const { binding, key, method, options, resultCall, self } = parts
  const { each } = options
  const cache = binding.bind(self)
  const textOf = (args: readonly unknown[]): string => {
    const [first, ...rest] = args
    return each === undefined ? key.ofAll(args) : keyText(each.key(first, ...rest))
  }
  const load = async (args: readonly unknown[]): Promise<unknown> => {
    if (each === undefined) return invoke(method, self, args, binding.where)
    const [first, ...rest] = args
    const items = (await invoke(
      method,
      self,
      [[first], ...rest],
      binding.where,
    )) as readonly unknown[]
    return items[0]
  }
  return {
    key: (...args) => cache.fullKey(textOf(args)),
    peek: async (...args) => cache.peek(textOf(args)),
    evict: async (...args) =>
      cache.evict({ keys: [textOf(args)], tags: [], all: false, soft: false, settleMs: 0 }),
    refresh: async (...args) =>
      cache.getOrLoad(textOf(args), () => load(args), resultCall(args, 'refresh')),
    set: async (args, value) =>
      cache.put(textOf(args), value, resultCall(args, 'normal'), undefined),
  }
}
