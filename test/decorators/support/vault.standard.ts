/** A class with a decorated private method; loaded only where decorators are standard. */

import type { Cacheable as CacheableDecorator } from '@larder/core'

export interface Vault {
  readonly opened: number
  read(id: string): Promise<string>
}

export function makeVault(Cacheable: typeof CacheableDecorator): Vault {
  class PrivateVault implements Vault {
    opened = 0

    @Cacheable({ key: (id: string) => id })
    async #open(id: string): Promise<string> {
      this.opened += 1
      return `secret ${id}`
    }

    read(id: string): Promise<string> {
      return this.#open(id)
    }
  }
  return new PrivateVault()
}
