/** The names under which Nest finds what the module provides. */

import type { InjectionToken } from '@nestjs/common'

/** The cache manager of the application. For `overrideProvider(CACHES)`, `app.get(CACHES)` and `inject: [CACHES]`. */
export const CACHES: InjectionToken = Symbol.for('@larder/nest/caches')

/** The cache of a name that `@InjectCache(name)` asks for. */
export function cacheToken(name: string): InjectionToken {
  return Symbol.for(`@larder/nest/cache/${name}`)
}
