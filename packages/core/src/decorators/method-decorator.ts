/** One decorator type for standard (TC39) and `experimentalDecorators`, and the adapter that makes both out of one wrap. */

import 'reflect-metadata'
import { InvalidOptionError } from '../errors/option-error.ts'
import { copyMetadata } from './operations.ts'

// biome-ignore lint/suspicious/noExplicitAny: positions after those a callback names may hold anything.
type Anything = any

/** A method that returns a promise and whose first parameters accept what the callbacks' parameters were annotated with. */
export type FittingMethod<Args extends readonly unknown[], Result> = (
  ...args: [...Args, ...Anything[]]
) => Promise<Result>

/** Decorates a method of type `Fits`; anything else does not compile, in either mode. */
export interface AsyncMethodDecorator<Fits> {
  /** Standard decorators. */
  <Method extends Fits>(
    method: Method,
    context: ClassMethodDecoratorContext<Anything, Anything>,
  ): Method
  /** `experimentalDecorators`. */
  <Method extends Fits>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): TypedPropertyDescriptor<Method>
}

export type AnyMethod = (this: unknown, ...args: unknown[]) => unknown

/** Where a decorated method stands. */
export interface MethodSite {
  readonly name: string | symbol
  readonly isStatic: boolean
  readonly isPrivate: boolean
  /** The class's prototype, or the class for a static method; known at once only in legacy mode. */
  readonly home: object | undefined
}

/** Makes a decorator from a function that wraps the method. `decorator` names it in messages, such as `@Cacheable`. */
export function decorateMethod<Fits>(
  decorator: string,
  wrap: (method: AnyMethod, site: MethodSite) => AnyMethod,
): AsyncMethodDecorator<Fits> {
  const apply = (method: unknown, site: MethodSite): AnyMethod => {
    if (typeof method !== 'function') throw wrongTarget(decorator, method)
    const original = method as AnyMethod
    const wrapped = wrap(original, site)
    Object.defineProperty(wrapped, 'name', { value: original.name, configurable: true })
    Object.defineProperty(wrapped, 'length', { value: original.length, configurable: true })
    copyMetadata(original, wrapped)
    return wrapped
  }
  const either = (target: unknown, context: unknown, descriptor?: PropertyDescriptor): unknown => {
    if (isStandardContext(context)) {
      if (context.kind !== 'method') throw wrongTarget(decorator, context.kind)
      return apply(target, {
        name: context.name,
        isStatic: context.static,
        isPrivate: context.private,
        home: undefined,
      })
    }
    if (typeof target !== 'object' && typeof target !== 'function')
      throw wrongTarget(decorator, target)
    if (descriptor === undefined || target === null)
      throw wrongTarget(decorator, 'a field or class')
    const site = {
      name: context as string | symbol,
      isStatic: typeof target === 'function',
      isPrivate: false,
      home: target,
    }
    return { ...descriptor, value: apply(descriptor.value, site) }
  }
  // The two call signatures are told apart at run time, which no type can follow.
  return either as AsyncMethodDecorator<Fits>
}

/** Calls the method and insists on a promise. */
export function invoke(
  method: AnyMethod,
  self: unknown,
  args: readonly unknown[],
  where: string,
): Promise<unknown> {
  const result = method.apply(self, args as unknown[])
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function') {
    return result as Promise<unknown>
  }
  throw new InvalidOptionError({
    option: where,
    expected: 'a method that returns a promise (make it async)',
    received: result,
  })
}

function isStandardContext(context: unknown): context is ClassMethodDecoratorContext {
  return typeof context === 'object' && context !== null && 'kind' in context
}

function wrongTarget(decorator: string, received: unknown): InvalidOptionError {
  return new InvalidOptionError({ option: decorator, expected: 'a method to decorate', received })
}
