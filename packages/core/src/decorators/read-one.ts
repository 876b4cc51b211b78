/** Reading one entry: what a `@Cacheable` method is wrapped in. */

import type { LoadContext } from '../cache/read-call.ts'
import { FEW, type KeySource, listOf } from './key-source.ts'
import { currentScope, isLoading, runLoad } from './load-scope.ts'
import type { MethodBinding } from './method-binding.ts'
import { type AnyMethod, invoke } from './method-decorator.ts'
import { currentSkip } from './skip-cache.ts'
import type { Callback, ResultRules } from './storing-options.ts'

type Args = readonly unknown[]

/** What a wrapped `@Cacheable` method needs. */
export interface CacheableParts {
  readonly original: AnyMethod
  readonly binding: MethodBinding
  readonly rules: ResultRules
  readonly condition: Callback | undefined
}

export interface CacheableOneParts extends CacheableParts {
  readonly key: KeySource
}

/** The local-hit path: no frame, list or closure it can do without. Errors of keys become rejections, as in an async method. */
export function wrapOne(parts: CacheableOneParts): AnyMethod {
  const { binding, key } = parts
  const isUnconditional = parts.condition === undefined
  // A method, because it cannot be called with `new` either.
  const { method } = {
    method(this: unknown, a?: unknown, b?: unknown, c?: unknown): Promise<unknown> {
      // biome-ignore lint/complexity/noArguments: a rest parameter would allocate on every hit.
      const count = arguments.length
      const cache = isUnconditional && count <= FEW ? binding.quick : undefined
      let text: string | undefined
      if (cache !== undefined) {
        try {
          text = key.few(this, count, a, b, c)
          const hit = cache.hit(text)
          if (hit !== undefined) return hit
        } catch (error) {
          return Promise.reject(error)
        }
      }
      // biome-ignore lint/complexity/noArguments: see above.
      const args = count <= FEW ? listOf(count, a, b, c) : Array.from(arguments)
      return readOne(parts, this, args, text)
    },
  }
  return method
}

/** Everything but the shortest way. `missed` is the key if it was looked for already. */
function readOne(
  parts: CacheableOneParts,
  self: unknown,
  args: Args,
  missed: string | undefined,
): Promise<unknown> {
  const { original, binding, key, rules, condition } = parts
  try {
    const skip = currentSkip()
    if (skip === 'skip' || condition?.apply(self, [...args]) === false) {
      return invoke(original, self, args, binding.where)
    }
    const cache = binding.bind(self)
    const text = missed ?? key.of(self, args)
    const hit = skip === undefined && missed === undefined ? cache.hit(text) : undefined
    if (hit !== undefined) return hit
    const fullKeys = [cache.fullKey(text)]
    const isSelfCall = isLoading(currentScope(), binding.provider, fullKeys)
    if (isSelfCall) return invoke(original, self, args, binding.where)
    const load = loaderOf(parts, { self, args, fullKeys })
    return cache.getOrLoad(text, load, rules(self, args, skip ?? 'normal'))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Returns what loads a call's entry. To be made when the method is called: only then is it known what the call is part of. */
export function loaderOf(
  { original, binding }: CacheableParts,
  call: { readonly self: unknown; readonly args: Args; readonly fullKeys: readonly string[] },
): (context: LoadContext) => Promise<unknown> {
  const { self, args, fullKeys } = call
  const { provider } = binding
  const outer = currentScope()
  return (context) =>
    runLoad({ provider, fullKeys, context, outer }, () =>
      invoke(original, self, args, binding.where),
    )
}
