/** Reading one entry: the wrapper of a `@Cacheable` method. */

import { currentScope, isLoading, runLoad } from '../../cache/load-scope.ts'
import type { LoadContext, Loader, ReadMode, ReadRules } from '../../cache/read-call.ts'
import { keyErrorAt } from '../../errors/key-error.ts'
import { isSoleArgument } from '../../keys/key-frame.ts'
import { currentCallScope, currentSkip } from '../../lifecycle/call-context.ts'
import type { BoundCache } from '../bound/bound-cache.ts'
import { invoke, type MethodBinder } from '../bound/bound-method.ts'
import { type Callback, saysNo } from '../bound/callbacks.ts'
import type { AnyMethod } from '../bound/method-decorator.ts'
import { FEW, listOf } from './key-source.ts'

type Args = readonly unknown[]

/** What a wrapped `@Cacheable` method needs. */
export interface CacheableParts {
  readonly original: AnyMethod
  readonly binding: MethodBinder<BoundCache>
  readonly condition: Callback | undefined
}

/** The local-hit path: no frame, list or closure that can be avoided. Errors of keys become rejections, as in an async method. */
export function wrapOne(parts: CacheableParts): AnyMethod {
  const { binding } = parts
  const isUnconditional = parts.condition === undefined
  // A method, because a method cannot be called with `new` either.
  const { method } = {
    method(this: unknown, a?: unknown, b?: unknown, c?: unknown): Promise<unknown> {
      // biome-ignore lint/complexity/noArguments: a rest parameter would allocate on every hit.
      const count = arguments.length
      const bound = isUnconditional && count <= FEW ? binding.quick(this) : undefined
      let text: string | undefined
      if (bound !== undefined) {
        try {
          const { cache, key } = bound
          const sole = count === 1 && key.frame !== undefined && isSoleArgument(a) ? a : undefined
          const known = sole === undefined ? undefined : cache.hitByArgument(sole)
          if (known !== undefined) return known
          text = key.few(this, count, a, b, c)
          const hit = cache.hit(text, sole)
          if (hit !== undefined) return hit
        } catch (error) {
          return Promise.reject(keyErrorAt(error, bound.where, bound.cacheName))
        }
      }
      // biome-ignore lint/complexity/noArguments: see above.
      const args = count <= FEW ? listOf(count, a, b, c) : Array.from(arguments)
      return readOne(parts, this, args, text)
    },
  }
  return method
}

/** Every other read. `missed`: the key, if it was already looked up. */
function readOne(
  parts: CacheableParts,
  self: unknown,
  args: Args,
  missed: string | undefined,
): Promise<unknown> {
  const { original, binding, condition } = parts
  try {
    const skip = currentSkip()
    const isOff =
      skip === 'skip' || (condition !== undefined && saysNo(condition, self, args, binding.where))
    if (isOff) return invoke(original, self, args, binding.where)
    const bound = binding.bind(self)
    const { cache, provider, where } = bound
    const text = missed ?? keyOf(bound, self, args)
    const isPlain = skip === undefined && missed === undefined && currentCallScope() === undefined
    const hit = isPlain ? cache.hit(text) : undefined
    if (hit !== undefined) return hit
    const scope = currentScope()
    const isSelfCall = scope !== undefined && isLoading(scope, provider, [cache.fullKey(text)])
    if (isSelfCall) return invoke(original, self, args, where)
    return loadOne(parts, bound, { self, args, text, mode: skip ?? 'normal' })
  } catch (error) {
    return Promise.reject(error)
  }
}

/** One call of a method with one entry. */
export interface OneCall {
  readonly self: unknown
  readonly args: Args
  /** The key, as it was when the method was called. */
  readonly text: string
  readonly mode: ReadMode
}

/** Reads an entry that is not available at once, and loads it if necessary. */
export function loadOne(parts: CacheableParts, bound: BoundCache, call: OneCall): Promise<unknown> {
  const { self, args, text, mode } = call
  const { usualRules } = bound
  const isUsual = mode === 'normal' && usualRules !== undefined
  const rules = isUsual ? usualRules : bound.rules(self, args, mode)
  const loader = new MethodLoader(parts, bound, call)
  if (parts.condition === undefined && !bound.key.canChange(args)) {
    return bound.cache.getOrLoad(text, loader, rules)
  }
  const watched = { ...rules, keeps: () => loader.keeps(rules) }
  const reading = bound.cache.getOrLoad(text, loader, watched)
  loader.isLater = true
  return reading
}

/** @throws what the key function throws; a KeyError says which method it is about */
export function keyOf(bound: BoundCache, self: unknown, args: Args): string {
  try {
    return bound.key.of(self, args)
  } catch (error) {
    throw keyErrorAt(error, bound.where, bound.cacheName)
  }
}

/**
 * Loads a call's entry by running the method. Made when the method is called: only then is it known which load the call is part
 * of.
 *
 * The method runs later than the key was made, with the same objects: a caller may have changed them for its next call.
 * Then the result goes to the waiting callers, and is not kept.
 */
class MethodLoader implements Loader {
  readonly #parts: CacheableParts
  readonly #bound: BoundCache
  readonly #call: OneCall
  readonly #outer = currentScope()
  /** Whether the call has returned to its caller, who may have changed anything since. */
  isLater = false
  #isAsCalled = true

  constructor(parts: CacheableParts, bound: BoundCache, call: OneCall) {
    this.#parts = parts
    this.#bound = bound
    this.#call = call
  }

  load(context: LoadContext): Promise<unknown> {
    const { provider, where, cache } = this.#bound
    const { self, args, text } = this.#call
    const scope = { provider, fullKeys: [cache.fullKey(text)], context, outer: this.#outer }
    return runLoad(scope, () => {
      if (this.isLater) this.#isAsCalled = this.#isUnchanged() && this.#isWanted()
      return invoke(this.#parts.original, self, args, where)
    })
  }

  /** Whether the result may be kept; called after the load. */
  keeps({ tagsOf, ttlOf, storeWhen }: ReadRules): boolean {
    // Callbacks about the result get the arguments as well.
    const isSaying = tagsOf !== undefined || ttlOf !== undefined || storeWhen !== undefined
    return this.#isAsCalled && (!isSaying || this.#isUnchanged())
  }

  #isUnchanged(): boolean {
    const { self, args, text } = this.#call
    return !this.#bound.key.canChange(args) || stillGives(this.#bound, self, args, text)
  }

  #isWanted(): boolean {
    const { condition, binding } = this.#parts
    if (condition === undefined) return true
    try {
      return !saysNo(condition, this.#call.self, this.#call.args, binding.where)
    } catch {
      return false
    }
  }
}

/** True when the arguments still make the same key. */
export function stillGives(bound: BoundCache, self: unknown, args: Args, text: string): boolean {
  try {
    // The full key, because a text may be made well-formed on the way.
    return bound.cache.fullKey(bound.key.of(self, args)) === bound.cache.fullKey(text)
  } catch {
    return false
  }
}

/** The key that the arguments had, and the one they have now. */
export function keysNow(
  bound: BoundCache,
  self: unknown,
  args: Args,
  before: string,
): readonly string[] {
  try {
    return [...new Set([before, bound.key.of(self, args)])]
  } catch {
    // They make no key any more.
    return [before]
  }
}
