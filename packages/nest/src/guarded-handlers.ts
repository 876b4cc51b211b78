/**
 * Checks all handlers when the application starts. A `@RateLimit` without a guard is an error then, instead of a limit that silently does
 * not apply, and wrong options are found before the first request.
 */

import { InvalidOptionError } from '@larder/core'
import type { ExceptionFilter } from '@nestjs/common'
import { MetadataScanner, type ModulesContainer } from '@nestjs/core'
import { type Wrapper, wrappersOf } from './bound-providers.ts'
import type { ForeignKind } from './foreign-exceptions.ts'
import { RATE_LIMITS } from './rate-limit.ts'
import { LarderRateLimitGuard } from './rate-limit-guard.ts'
import type { Handler, HandlerClass, RateLimits } from './rate-limits.ts'

/** Where Nest keeps what decorators say. */
const GUARDS = '__guards__'
const MESSAGE_PATTERN = 'microservices:pattern'
const GATEWAY = 'websockets:is_gateway'
const APP_GUARD = 'APP_GUARD'
const APP_FILTER = 'APP_FILTER'

/** Checks the limits of all handlers. @throws InvalidOptionError */
export function checkLimits(modules: ModulesContainer, limits: RateLimits): void {
  const hasOwnGuard = ofApplication(modules, APP_GUARD).some(isOurGuard)
  // Nest 11 does not apply them to gateways, and both majors do not apply them to messages of an application that also serves HTTP.
  // An option that changes this cannot be read here.
  const guardsAll = ({ owner, method }: Handler): boolean => {
    const isMessageBesideHttp = limits.servesHttp && Reflect.hasMetadata(MESSAGE_PATTERN, method)
    return hasOwnGuard && !isMessageBesideHttp && !Reflect.hasMetadata(GATEWAY, owner)
  }
  for (const handler of handlersOf(modules)) {
    if (!Reflect.hasMetadata(RATE_LIMITS, handler.method) && !isLimitedClass(handler)) continue
    const [limit] = limits.of(handler)
    if (limit === undefined || guardsAll(handler) || isGuarded(handler)) continue
    throw new InvalidOptionError({
      option: limit.where,
      expected:
        'a handler that LarderRateLimitGuard guards: @UseGuards(LarderRateLimitGuard) on the method or the class, or ' +
        '{ provide: APP_GUARD, useClass: LarderRateLimitGuard }, which does not count for gateways and for messages beside HTTP',
      received: undefined,
      described: 'one that it does not',
    })
  }
}

/** Returns the filters of the application except one, in the order in which modules name them, without those made per request. */
export function filtersOf(modules: ModulesContainer, but: object): readonly ExceptionFilter[] {
  const filters = ofApplication(modules, APP_FILTER, (wrapper) => wrapper.isDependencyTreeStatic())
  return (filters as readonly ExceptionFilter[]).filter(
    (filter) => filter !== but && typeof filter?.catch === 'function',
  )
}

/** Whether it was provided as `APP_GUARD` or the like: Nest makes a name of its own for each. */
function ofApplication(
  modules: ModulesContainer,
  name: string,
  isMeant: (wrapper: Wrapper) => boolean = () => true,
): readonly unknown[] {
  return wrappersOf(modules)
    .filter(({ token }) => typeof token === 'string' && token.startsWith(`${name} `))
    .filter(isMeant)
    .map(({ instance }) => instance as unknown)
}

/** Returns the kinds of handlers there are whose exceptions are classes of another package. */
export function foreignKindsOf(modules: ModulesContainer): ReadonlySet<ForeignKind> {
  const kinds = new Set<ForeignKind>()
  for (const { owner, method } of handlersOf(modules)) {
    if (Reflect.hasMetadata(GATEWAY, owner)) kinds.add('ws')
    if (Reflect.hasMetadata(MESSAGE_PATTERN, method)) kinds.add('rpc')
  }
  return kinds
}

/** All methods of controllers and providers; which of them are handlers is up to the packages that call them. */
function handlersOf(modules: ModulesContainer): readonly Handler[] {
  const scanner = new MetadataScanner()
  return wrappersOf(modules).flatMap(({ metatype, inject, isAlias }) => {
    const prototype: unknown = metatype?.prototype
    const isFactory = inject !== undefined && inject !== null
    if (isAlias || isFactory || typeof prototype !== 'object' || prototype === null) return []
    const owner = metatype as HandlerClass
    return scanner.getAllMethodNames(prototype).map((name) => {
      return {
        owner,
        method: (prototype as Record<string, Handler['method']>)[name] as Handler['method'],
      }
    })
  })
}

/** Whether the method is a handler of a class that has a limit: then another decorator has left metadata on it. */
function isLimitedClass({ owner, method }: Handler): boolean {
  return Reflect.hasMetadata(RATE_LIMITS, owner) && Reflect.getMetadataKeys(method).length > 0
}

function isGuarded({ owner, method }: Handler): boolean {
  return [owner, method].some((holder) => {
    const guards: unknown = Reflect.getMetadata(GUARDS, holder)
    return Array.isArray(guards) && guards.some(isOurGuard)
  })
}

/** The guard, a class that extends it, or an instance. */
function isOurGuard(guard: unknown): boolean {
  if (typeof guard !== 'function') return guard instanceof LarderRateLimitGuard
  return guard === LarderRateLimitGuard || guard.prototype instanceof LarderRateLimitGuard
}
