/** A class with a decorated private method; loaded only where decorators are standard. */

import type {
  Cacheable as CacheableDecorator,
  CacheConfig as CacheConfigDecorator,
} from '@larder/core'
import type { MethodCacheProvider } from '@larder/core/store'

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

/** Two classes, each with a private method of one name. */
export function makeDeepVault(
  Cacheable: typeof CacheableDecorator,
  CacheConfig: typeof CacheConfigDecorator,
  manager: () => MethodCacheProvider,
): { open(id: string): Promise<string> } {
  @CacheConfig({ manager })
  class OuterVault {
    @Cacheable()
    async #open(id: string): Promise<string> {
      return `outer ${id}`
    }

    @Cacheable()
    static async #audit(id: string): Promise<string> {
      return `audit ${id}`
    }

    async open(id: string): Promise<string> {
      return `${await this.#open(id)}, ${await OuterVault.#audit(id)}`
    }
  }

  class InnerVault extends OuterVault {
    @Cacheable()
    async #open(id: string): Promise<string> {
      return `inner ${id}`
    }

    override async open(id: string): Promise<string> {
      return `${await this.#open(id)}, ${await super.open(id)}`
    }
  }
  return new InnerVault()
}
