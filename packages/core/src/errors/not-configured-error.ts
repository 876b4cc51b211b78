/** A decorated method has no cache manager to work with. */

import { LarderError } from './larder-error.ts'

/** Thrown at the first call of a decorated method when no manager exists for it. */
export class NotConfiguredError extends LarderError {
  constructor(method: string) {
    super(
      'LARDER_NOT_CONFIGURED',
      `${method} was called before a cache manager existed. Call createCacheManager() first, or name one in @CacheConfig({ manager }).`,
    )
  }

  override get name(): string {
    return 'NotConfiguredError'
  }
}
