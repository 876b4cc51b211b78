/** The source: slow, and asked for each product once. */

import { setTimeout as delay } from 'node:timers/promises'
import { Cacheable, CacheConfig, CacheEvict, WithLock } from '@larder/core'
import { Injectable } from '@nestjs/common'

export interface Product {
  readonly id: string
  readonly name: string
  readonly price: number
}

/** How long the database takes, ms. */
const SLOW = 100

@Injectable()
@CacheConfig({ cache: 'products', ttl: '10m', staleIfError: '1h' })
export class ProductRepository {
  readonly #rows = new Map<string, Product>(
    ['tea', 'teapot', 'cup'].map((name, i) => [
      `${i + 1}`,
      { id: `${i + 1}`, name, price: 10 + i },
    ]),
  )
  #loads = 0

  /** How often the database was asked. */
  get loads(): number {
    return this.#loads
  }

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<Product | undefined> {
    this.#loads += 1
    await delay(SLOW)
    return this.#rows.get(id)
  }

  async search(like: string): Promise<readonly Product[]> {
    return [...this.#rows.values()].filter(({ name }) => name.includes(like))
  }

  @WithLock({ key: (id: string) => `price:${id}`, wait: '2s' })
  @CacheEvict({ key: (id: string) => id })
  async setPrice(id: string, price: number): Promise<void> {
    const row = this.#rows.get(id)
    if (row !== undefined) this.#rows.set(id, { ...row, price })
  }
}
