/** `each`: elements, items and further arguments, in both decorator modes. Compiled, never run. */

import { Cacheable, cached } from '@larder/core'

interface Product {
  readonly id: string
}

interface Order {
  readonly total: number
}

declare const catalogue: Catalogue

export class Catalogue {
  @Cacheable({ each: { key: (id: string) => id, by: (product: Product) => product.id } })
  async byId(_ids: readonly string[]): Promise<Product[]> {
    return []
  }

  @Cacheable({ each: { key: (id: string) => id } })
  async withGaps(ids: string[]): Promise<(Product | undefined)[]> {
    return ids.map(() => undefined)
  }

  @Cacheable({
    each: {
      key: (id: string, locale: string) => [id, locale],
      by: (product: Product) => product.id,
    },
    tags: (product: Product | undefined, id: string, locale: string) => [
      `${product?.id}:${id}:${locale}`,
    ],
    ttl: (_product: Product | undefined, id: string) => (id === '' ? '1s' : undefined),
    condition: (ids: readonly string[], locale: string) => ids.length < locale.length,
  })
  async localised(_ids: readonly string[], _locale: string): Promise<Product[]> {
    return []
  }

  @Cacheable({ each: { key: 'product:{0}', by: (product: Product) => product.id } })
  static async byTemplate(_ids: string[]): Promise<readonly Product[]> {
    return []
  }

  // @ts-expect-error: the first argument is no list.
  @Cacheable({ each: { key: (id: string) => id } })
  async noList(_id: string): Promise<Product[]> {
    return []
  }

  // @ts-expect-error: the method has no arguments.
  @Cacheable({ each: { key: (id: string) => id } })
  async noArguments(): Promise<Product[]> {
    return []
  }

  // @ts-expect-error: the result is no list.
  @Cacheable({ each: { key: (id: string) => id } })
  async oneProduct(_ids: string[]): Promise<Product | undefined> {
    return undefined
  }

  // @ts-expect-error: the items are Products, not Orders.
  @Cacheable({ each: { key: (id: string) => id, by: (order: Order) => `${order.total}` } })
  async wrongItems(_ids: string[]): Promise<Product[]> {
    return []
  }

  // @ts-expect-error: by returns an element of the list, and those are strings.
  @Cacheable({ each: { key: (id: string) => id, by: (product: Product) => product.id.length } })
  async wrongBy(_ids: string[]): Promise<Product[]> {
    return []
  }

  // @ts-expect-error: the method has no second argument.
  @Cacheable({ each: { key: (id: string, locale: string) => [id, locale] } })
  async noSecond(_ids: string[]): Promise<Product[]> {
    return []
  }

  // @ts-expect-error: tags get one element, not the list.
  @Cacheable({ each: { key: (id: string) => id }, tags: (_: Product, ids: string[]) => ids })
  async listTags(_ids: string[]): Promise<Product[]> {
    return []
  }

  // @ts-expect-error: condition gets the list, not one element.
  @Cacheable({ each: { key: (id: string) => id }, condition: (id: string) => id !== '' })
  async oneCondition(_ids: string[]): Promise<Product[]> {
    return []
  }

  // @ts-expect-error: the key is each.key.
  @Cacheable({ each: { key: (id: string) => id }, key: (ids: string[]) => ids })
  async twoKeys(_ids: string[]): Promise<Product[]> {
    return []
  }

  // @ts-expect-error: the method returns no promise.
  @Cacheable({ each: { key: (id: string) => id } })
  sync(_ids: string[]): Product[] {
    return []
  }
}

export async function handles(): Promise<void> {
  const some: Product[] | undefined = await cached(catalogue, 'byId').peek(['1', '2'])
  await cached(catalogue, 'localised').evict(['1'], 'en')
  await cached(catalogue, 'byId').set([['1']], some ?? [])
  await cached(Catalogue, 'byTemplate').refresh(['1'])

  // @ts-expect-error: the entries of a list method go by lists.
  await cached(catalogue, 'byId').evict('1')
  // @ts-expect-error: the locale is missing.
  await cached(catalogue, 'localised').evict(['1'])
  // @ts-expect-error: there is no such method.
  cached(catalogue, 'byName')
}
