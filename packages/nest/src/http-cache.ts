/** `@HttpCache`: how the responses of a handler are kept, as metadata that the interceptor reads. */

import { InvalidOptionError } from '@larder/core'
import { assertKnownOptions } from '@larder/core/store'
import { HTTP_CACHE_NAMES, type HttpCacheSettings } from '@larder/plugins/http-cache'
import type { HttpRequest } from './rate-limit-call.ts'

/** Options of the cache for the responses of a handler. */
export type HttpCacheOptions<Request = HttpRequest> = HttpCacheSettings<Request>

/** Options of a method or of a class; `false`: its responses are not kept. */
export const HTTP_CACHE = Symbol.for('@larder/nest/http cache')

const WHERE = '@HttpCache'
const NAMES = HTTP_CACHE_NAMES.filter((name) => name !== 'caches')

/**
 * Keeps the responses of a handler, or of each handler of a class that says nothing itself. `LarderHttpCache` has to intercept it. On a
 * handler of another method than GET, an answer without error ends what is kept for its path. `false` on a method: not this one.
 *
 * @throws InvalidOptionError at definition, naming the option
 * @example
 * @Get(':id')
 * @UseInterceptors(LarderHttpCache)
 * @HttpCache({ ttl: '1m', vary: ['accept-language'] })
 * find(@Param('id') id: string) {}
 */
export function HttpCache<Request = HttpRequest>(
  options: HttpCacheOptions<Request> | false = {},
): MethodDecorator & ClassDecorator {
  if (options !== false) assertKnownOptions(options, NAMES, WHERE)
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const holder: unknown = name === undefined ? target : descriptor?.value
    if (typeof holder !== 'function') {
      const expected = 'a method or a class to decorate, under experimentalDecorators'
      throw new InvalidOptionError({ option: WHERE, expected, received: holder })
    }
    Reflect.defineMetadata(HTTP_CACHE, options, holder)
  }
}
