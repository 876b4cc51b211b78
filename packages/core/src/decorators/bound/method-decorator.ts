/** One decorator type for standard (TC39) and `experimentalDecorators`, and the adapter that makes both from one wrapper. */

import { describeValue, InvalidOptionError } from '../../errors/option-error.ts'
import { type Evaluation, evaluationNow } from './evaluation.ts'
import { type AnyClass, MethodSite, nameOf } from './method-site.ts'
import { assertOneEntity } from './one-entity.ts'
import {
  copyMetadata,
  decorationsHeldBy,
  noteMethod,
  noteOperation,
  type Operation,
} from './operations.ts'

// TypeScript gives decorators a metadata object only where this symbol exists; esbuild, Babel and SWC always do, under
// this very symbol. It is how a standard decorator finds its class.
;(Symbol as { metadata?: symbol }).metadata ??= Symbol.for('Symbol.metadata')

type Args = readonly unknown[]

/** Any method that returns a promise of `Result`. */
export type AsyncMethod<Result> = (...args: never) => Promise<Result>

/**
 * A method whose parameters fit the annotated parameters of the options' callbacks: `CallArgs` are compared with its
 * parameters, `EntryArgs` (of `each`) with an element of its first parameter and the rest.
 *
 * `infer … extends` rather than `extends`: only the constraint of an inferred type is checked with the constraints of the
 * class's own type parameters, so that `(id: string) => id` fits a method of an `Id extends string`.
 */
export type FittingMethod<
  Method extends AsyncMethod<unknown>,
  CallArgs extends Args,
  EntryArgs extends Args = never,
> = [CallArgs | EntryArgs] extends [readonly []]
  ? Method
  : Parameters<Method> extends infer _Call extends Taken<CallArgs>
    ? [EntryArgs] extends [never]
      ? Method
      : EntryParameters<Parameters<Method>> extends infer _Entry extends Taken<EntryArgs>
        ? Method
        : Misfit<Method, EntryArgs>
    : Misfit<Method, CallArgs>

/** A type that no method has, so that the compiler's message says what is wrong. */
export type Misfit<Method, CallArgs> = Method & {
  readonly 'a callback of the options takes other arguments than the method, or lacks a type: annotate its parameters': CallArgs
}

/** The argument lists that all of some callbacks can be called with; a callback may take fewer than there are. */
export type Taken<CallArgs extends Args> = (
  CallArgs extends Args
    ? (list: Prefix<CallArgs>) => void
    : never
) extends (list: infer List) => void
  ? List
  : never

type Prefix<List extends Args> = number extends List['length']
  ? List
  : readonly [...List, ...unknown[]]

type EntryParameters<Params extends Args> = Params extends readonly [
  readonly (infer Id)[],
  ...infer Rest,
]
  ? [Id, ...Rest]
  : undefined

/** Decorates a method that returns a promise of `Result` and fits the callbacks; other methods do not compile, in either mode. */
export interface AsyncMethodDecorator<CallArgs extends Args, Result> {
  /** Standard decorators. */
  <Method extends AsyncMethod<Result>>(
    method: FittingMethod<Method, CallArgs>,
    context: ClassMethodDecoratorContext,
  ): Method
  /** `experimentalDecorators`. */
  <Method extends AsyncMethod<Result>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<FittingMethod<Method, CallArgs>>,
  ): TypedPropertyDescriptor<Method>
}

/** The same for a method over a list: `EntryArgs` are an element of its first parameter, and its further parameters. */
export interface EachMethodDecorator<EntryArgs extends Args, Result, CallArgs extends Args> {
  /** Standard decorators. */
  <Method extends AsyncMethod<Result>>(
    method: FittingMethod<Method, CallArgs, EntryArgs>,
    context: ClassMethodDecoratorContext,
  ): Method
  /** `experimentalDecorators`. */
  <Method extends AsyncMethod<Result>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<FittingMethod<Method, CallArgs, EntryArgs>>,
  ): TypedPropertyDescriptor<Method>
}

/** A method with its types erased. */
export type AnyMethod = (this: unknown, ...args: unknown[]) => unknown

/** What a decorator puts in the place of a method, and the operation that it notes. */
export interface Wrapped {
  readonly method: AnyMethod
  readonly operation: Operation
}

/**
 * Makes a decorator for both modes.
 *
 * What `wrap` returns gets the name, length, own properties and metadata of the original.
 *
 * @param decorator - How messages name it, such as `@Cacheable`.
 * @throws InvalidOptionError, from the decorator, on anything but a method.
 */
export function methodDecorator(
  decorator: string,
  wrap: (original: AnyMethod, site: MethodSite) => Wrapped,
): unknown {
  const apply = (original: unknown, site: MethodSite): AnyMethod => {
    if (typeof original !== 'function') throw wrongTarget(decorator, 'a field or accessor')
    const { method, operation } = wrap(original as AnyMethod, site)
    copyProperties(original, method)
    copyMetadata(original, method)
    noteOperation(site, operation)
    // The options of the methods; those of the class are not known yet.
    assertOneEntity(decorationsHeldBy(site.holder).toReversed(), {}, classNameAt(site))
    noteMethod(method, site)
    return method
  }
  const either = (target: unknown, context: unknown, descriptor?: unknown): unknown => {
    const evaluation = evaluationNow(either)
    if (isStandardContext(context)) {
      return apply(target, standardSite(decorator, context, evaluation))
    }
    if (!isDescriptor(descriptor)) throw wrongTarget(decorator, legacyTarget(context, descriptor))
    const site = legacySite(decorator, target, context as string | symbol, evaluation)
    return { ...descriptor, value: apply(descriptor.value, site) }
  }
  // The two call signatures are distinguished at run time, which no type can express.
  return either
}

/**
 * Refuses a decorator that was used without parentheses: it would get the method as its options.
 *
 * @throws InvalidOptionError
 */
export function assertCalledWithOptions(decorator: string, args: ArrayLike<unknown>): void {
  if (args.length <= 1 && typeof args[0] !== 'function') return
  throw new InvalidOptionError({
    option: decorator,
    expected: `options in parentheses, as in ${decorator}({ … })`,
    received: args[0],
  })
}

/** Describes a value without its content: arguments and results do not belong in messages. */
export function shapeOf(value: unknown): string {
  const isTelling = typeof value === 'object' || value === undefined
  return isTelling ? describeValue(value) : `a ${typeof value}`
}

function isStandardContext(context: unknown): context is DecoratorContext {
  return typeof context === 'object' && context !== null && 'kind' in context
}

function isDescriptor(descriptor: unknown): descriptor is PropertyDescriptor {
  return typeof descriptor === 'object' && descriptor !== null
}

function standardSite(
  decorator: string,
  context: DecoratorContext,
  evaluation: Evaluation,
): MethodSite {
  if (context.kind !== 'method') throw wrongTarget(decorator, `a ${context.kind}`)
  const { name, static: isStatic, private: isPrivate, metadata: holder } = context
  if (holder === undefined) {
    throw new InvalidOptionError({
      option: decorator,
      expected: 'a compiler that gives decorators metadata (TypeScript 5.2, esbuild 0.21 or newer)',
      received: holder,
    })
  }
  const site = new MethodSite({ name, isStatic, isPrivate, holder }, undefined, evaluation)
  // Runs when an object is made (or at once for the class of a static method): later calls may lack `this`.
  context.addInitializer(function (this: unknown) {
    site.learn(this)
  })
  return site
}

function legacySite(
  decorator: string,
  target: unknown,
  name: string | symbol,
  evaluation: Evaluation,
): MethodSite {
  const isStatic = typeof target === 'function'
  const owner: unknown = isStatic ? target : (target as { constructor?: unknown }).constructor
  if (typeof owner !== 'function') throw wrongTarget(decorator, 'something without a class')
  const place = { name, isStatic, isPrivate: false, holder: target as object }
  return new MethodSite(place, owner as AnyClass, evaluation)
}

function legacyTarget(name: unknown, descriptor: unknown): string {
  if (typeof descriptor === 'number') return 'a parameter'
  return name === undefined ? 'a class' : 'a field'
}

function wrongTarget(decorator: string, target: string): InvalidOptionError {
  return new InvalidOptionError({
    option: decorator,
    expected: 'a method to decorate',
    received: target,
    described: target,
  })
}

function classNameAt({ definer }: MethodSite): string {
  return definer === undefined ? '' : nameOf(definer)
}

/** Keeps name and length, and properties that other decorators put on the function. */
function copyProperties(from: object, to: object): void {
  for (const name of Reflect.ownKeys(from)) {
    const isOurs = Object.getOwnPropertyDescriptor(to, name)?.configurable === false
    const property = Object.getOwnPropertyDescriptor(from, name)
    if (name !== 'prototype' && !isOurs && property !== undefined) {
      Object.defineProperty(to, name, property)
    }
  }
}
