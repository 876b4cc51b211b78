/** A class that tests load more than once. */

import { Cacheable, RateLimited } from '@larder/core'

export const versionOfReloaded = 1

export class Reloaded {
  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string> {
    return `found ${id}`
  }

  @RateLimited({ limit: 100, per: '1m' })
  async limited(): Promise<string> {
    return 'allowed'
  }
}

export const makeTwin = (): { find(id: string): Promise<string> } => {
  class Twin {
    @Cacheable({ key: (id: string) => id })
    async find(id: string): Promise<string> {
      return id
    }
  }
  return new Twin()
}
