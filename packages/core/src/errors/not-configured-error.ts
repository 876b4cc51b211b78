/** A decorated method has no cache manager to work with. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/** Thrown at the first call of a decorated method when no manager exists for it. */
export class NotConfiguredError extends LarderError {
  static {
    markFamily(NotConfiguredError)
  }

  /** `isElsewhere`: a copy of this package that this one cannot work with has a manager. */
  constructor(method: string, isElsewhere = false) {
    super(
      'LARDER_NOT_CONFIGURED',
      isElsewhere
        ? `${method} is decorated by a copy of @larder/core that cannot use the cache manager made by another, incompatible copy. Install one version only (see npm ls @larder/core).`
        : `${method} was called before a cache manager existed, or after the last one was closed. Call createCacheManager() first, or set one in @CacheConfig({ manager }).`,
    )
  }

  override get name(): string {
    return 'NotConfiguredError'
  }
}
