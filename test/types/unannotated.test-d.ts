/** What is written first by everybody: a key function without types. Compiled, never run. */

import { Cacheable, CacheEvict, CachePut, RateLimited, WithLock } from '@larder/core'

export class Unannotated {
  // @ts-expect-error: the message names AnnotateTheParametersOfKeyAndReturnAKey.
  @Cacheable({ key: (id) => id })
  async find(_id: string): Promise<void> {}

  // @ts-expect-error: the message names AnnotateKeyArgs, as do those below.
  @CachePut({ key: (id) => id })
  async save(_id: string): Promise<void> {}

  // @ts-expect-error
  @CacheEvict({ key: (id) => id })
  async remove(_id: string): Promise<void> {}

  // @ts-expect-error
  @RateLimited({ key: (id) => id, limit: 1, per: '1s' })
  async limited(_id: string): Promise<void> {}

  // @ts-expect-error
  @WithLock({ key: (id) => id })
  async locked(_id: string): Promise<void> {}
}
