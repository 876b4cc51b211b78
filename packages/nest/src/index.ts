/** Larder in Nest: the module, injection, rate limits as a guard, responses from the cache by an interceptor. The health indicator is in `@larder/nest/terminus`. */

export { LarderExceptionFilter } from './exception-filter.ts'
export { HttpCache, type HttpCacheOptions } from './http-cache.ts'
export { LarderHttpCache } from './http-cache-interceptor.ts'
export { InjectCache, InjectCaches, type InjectionDecorator } from './injection.ts'
export { LarderModule } from './larder-module.ts'
export type {
  LarderModuleAsyncOptions,
  LarderModuleExtras,
  LarderModuleOptions,
  LarderOptions,
  LarderOptionsFactory,
} from './module-options.ts'
export { type Problem, ProblemException } from './problem-exception.ts'
export { RateLimit, type RateLimitOptions } from './rate-limit.ts'
export { callOf, type HandlerCall, type HttpRequest } from './rate-limit-call.ts'
export { LarderRateLimitGuard } from './rate-limit-guard.ts'
export { CACHES, cacheToken } from './tokens.ts'
