/** `@InjectCaches()` and `@InjectCache(name)`. */

import { InvalidOptionError } from '@larder/core'
import { Inject, type Provider } from '@nestjs/common'
import { CACHES, cacheToken } from './tokens.ts'

/** A decorator of constructor parameters and properties. */
export type InjectionDecorator = PropertyDecorator & ParameterDecorator

/** The part of a manager that makes caches. */
interface MakesCaches {
  cache(name: string): unknown
}

const NAME = /^[\w.-]{1,64}$/
/** The names that classes of this process ask for. The ES module and the CommonJS module of this package share it. */
const PLACE = Symbol.for('@larder/nest/cache names')

/**
 * Injects the `CacheManager` of the application. It does so by its token and not by its type, because not every compiler emits the types
 * of parameters.
 *
 * @example constructor(@InjectCaches() private readonly caches: CacheManager) {}
 */
export function InjectCaches(): InjectionDecorator {
  return Inject(CACHES)
}

/**
 * Injects the `Cache` of a name, as `caches.cache(name)` returns it. For classes that are loaded before the application is made; other
 * classes inject the manager.
 *
 * @throws InvalidOptionError unless it is the name of a cache
 * @example constructor(@InjectCache('prices') private readonly prices: Cache<number>) {}
 */
export function InjectCache(name: string): InjectionDecorator {
  if (typeof name !== 'string' || !NAME.test(name)) {
    const expected = '1 to 64 of A-Z a-z 0-9 _ . -'
    throw new InvalidOptionError({ option: '@InjectCache.name', expected, received: name })
  }
  namesAsked().add(name)
  return Inject(cacheToken(name))
}

/** Providers of all caches that were asked for so far. */
export function cacheProviders(): readonly Provider[] {
  return Array.from(namesAsked(), (name) => ({
    provide: cacheToken(name),
    useFactory: (caches: MakesCaches) => caches.cache(name),
    inject: [CACHES],
  }))
}

function namesAsked(): Set<string> {
  const place = globalThis as { [PLACE]?: Set<string> }
  place[PLACE] ??= new Set()
  return place[PLACE]
}
