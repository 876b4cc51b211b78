/** Reading one entry: what a `@Cacheable` method is wrapped in. */

import type { LoadContext, Source } from '../cache/read-call.ts'
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
    const scope = currentScope()
    const isSelfCall =
      scope !== undefined && isLoading(scope, binding.provider, [cache.fullKey(text)])
    if (isSelfCall) return invoke(original, self, args, binding.where)
    const source = new MethodSource(parts, self, args, cache.fullKey(text))
    return cache.getOrLoad(text, source, rules(self, args, skip ?? 'normal'))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Loads a call's entry by running the method. To be made when that is called: only then is it known what the call is part of. */
export class MethodSource implements Source {
  readonly #parts: CacheableParts
  readonly #self: unknown
  readonly #args: Args
  readonly #fullKey: string
  readonly #outer = currentScope()

  constructor(parts: CacheableParts, self: unknown, args: Args, fullKey: string) {
    this.#parts = parts
    this.#self = self
    this.#args = args
    this.#fullKey = fullKey
  }

  load(context: LoadContext): Promise<unknown> {
    const { original, binding } = this.#parts
    const { provider, where } = binding
    const scope = { provider, fullKeys: [this.#fullKey], context, outer: this.#outer }
    return runLoad(scope, () => invoke(original, this.#self, this.#args, where))
  }
}
