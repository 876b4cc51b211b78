/** How the options of `@RateLimited` and limiters have to fit, in both decorator modes. Compiled, never run. */

import {
  type CacheManager,
  type LimiterOptions,
  RateLimited,
  type RateLimitVerdict,
} from '@larder/core'

interface Product {
  readonly id: string
}

const often = { limit: 5, per: '1m' } as const

export class Fitting {
  readonly tenant = 'north'

  @RateLimited({ key: (ip: string) => ip, limit: 100, per: '1m' })
  async moreThanTheKeyTakes(_ip: string, _query: string): Promise<Product[]> {
    return []
  }

  @RateLimited({
    key: function (this: Fitting, ip: string) {
      return [this.tenant, ip]
    },
    cost: (_ip: string, items: readonly Product[]) => items.length,
    ...often,
  })
  async withThisAndCost(_ip: string, _items: Product[]): Promise<void> {}

  @RateLimited({ key: '{0.id}', policies: [often, { name: 'hour', limit: 50, per: '1h' }] })
  async severalPolicies(product: Product): Promise<Product> {
    return product
  }

  @RateLimited({
    ...often,
    onLimit: 'wait',
    maxWait: '5s',
    signal: (_: string, s?: AbortSignal) => s,
  })
  async waiting(_ip: string, _signal?: AbortSignal): Promise<void> {}

  @RateLimited({
    key: (tenant: string) => tenant,
    limit: (tenant: string) => tenant.length,
    per: '1m',
  })
  async lookedUp(_tenant: string, _query: string): Promise<void> {}

  @RateLimited({
    policies: [often, { name: 'plan', limit: async (tenant: string) => tenant.length, per: 'day' }],
  })
  async lookedUpLater(_tenant: string): Promise<void> {}

  @RateLimited({ ...often, onLimit: 'skip' })
  async skipped(): Promise<Product | undefined> {
    return undefined
  }

  @RateLimited({ ...often, onLimit: 'skip' })
  async skippedWithoutResult(): Promise<void> {}

  @RateLimited({
    ...often,
    onLimit: (verdict: RateLimitVerdict, id: string) => ({ id, ...verdict }),
  })
  async handled(id: string): Promise<Product> {
    return { id }
  }

  @RateLimited({ ...often, onLimit: async ({ policy }) => ({ id: policy }) })
  async handledLater(id: string): Promise<Product> {
    return { id }
  }

  @RateLimited({ limit: 5, per: 'day', timeZone: 'Europe/Berlin' })
  async calendar(): Promise<void> {}

  @RateLimited({ limit: 5, algorithm: 'concurrency', lease: '10s' })
  async concurrency(): Promise<void> {}

  // A decorator gives back the type it was given.
  async callers(): Promise<readonly [Product[], Product | undefined]> {
    return [await this.moreThanTheKeyTakes('', ''), await this.skipped()]
  }
}

export class Misfitting {
  // @ts-expect-error: the key is made of a string, and the method takes a number.
  @RateLimited({ key: (ip: string) => ip, ...often })
  async keyArguments(_id: number): Promise<void> {}

  // @ts-expect-error: the method may be called without what the key is made of.
  @RateLimited({ key: (ip: string) => ip, ...often })
  async optional(_ip?: string): Promise<void> {}

  // @ts-expect-error: the cost gets a string.
  @RateLimited({ cost: (items: readonly string[]) => items.length, ...often })
  async costArguments(_items: string): Promise<void> {}

  // @ts-expect-error: the limit is looked up for a string.
  @RateLimited({ limit: (tenant: string) => tenant.length, per: '1m' })
  async limitArguments(_tenant: number): Promise<void> {}

  // @ts-expect-error: a limit is a number, or a promise of one.
  @RateLimited({ limit: (tenant: string) => tenant, per: '1m' })
  async limitResult(_tenant: string): Promise<void> {}

  // @ts-expect-error: a cost is a number.
  @RateLimited({ cost: (items: readonly string[]) => items, ...often })
  async costResult(_items: string[]): Promise<void> {}

  // @ts-expect-error: the handler's further arguments are the method's.
  @RateLimited({ ...often, onLimit: (_: RateLimitVerdict, id: number) => `${id}` })
  async handlerArguments(id: string): Promise<string> {
    return id
  }

  // @ts-expect-error: the handler gives what the method does not return.
  @RateLimited({ ...often, onLimit: () => 5 })
  async handlerResult(id: string): Promise<string> {
    return id
  }

  // @ts-expect-error: a skipped call gives undefined.
  @RateLimited({ ...often, onLimit: 'skip' })
  async skippedResult(id: string): Promise<string> {
    return id
  }

  // @ts-expect-error: the method returns no promise.
  @RateLimited(often)
  notAsync(id: string): string {
    return id
  }

  // @ts-expect-error: the signal comes from an argument of another type.
  @RateLimited({ ...often, onLimit: 'wait', signal: (signal: AbortSignal) => signal })
  async signalArguments(_id: string): Promise<void> {}

  // @ts-expect-error: a limit belongs to a time.
  @RateLimited({ limit: 5 })
  async noWindow(): Promise<void> {}

  // @ts-expect-error: a wrong unit.
  @RateLimited({ limit: 5, per: '5 minutes' })
  async wrongUnit(): Promise<void> {}

  // @ts-expect-error: a period nobody knows.
  @RateLimited({ limit: 5, per: 'fortnight' })
  async wrongPeriod(): Promise<void> {}

  // @ts-expect-error: an algorithm nobody knows.
  @RateLimited({ ...often, algorithm: 'sliding' })
  async wrongAlgorithm(): Promise<void> {}

  // @ts-expect-error: what is under way has no window.
  @RateLimited({ limit: 5, per: '1s', algorithm: 'concurrency' })
  async concurrencyWindow(): Promise<void> {}

  // @ts-expect-error: either one policy or several.
  @RateLimited({ ...often, policies: [often] })
  async bothForms(): Promise<void> {}

  // @ts-expect-error: at least one.
  @RateLimited({ policies: [] })
  async noPolicy(): Promise<void> {}

  // @ts-expect-error: the decorator is made by calling RateLimited.
  @RateLimited
  async bare(): Promise<void> {}
}

// @ts-expect-error: words have their own types.
export const wrongWord: LimiterOptions = { ...often, onStoreError: 'ignore' }

export async function limiters(caches: CacheManager): Promise<number> {
  const limiter = caches.limiter({ limit: 100, per: '1m', maxWait: '2s', share: 0.5 })
  const { allowed, retryAfterMs, source, policies } = await limiter.consume('ip:1.2.3.4', 3)
  await limiter.consume(['tenant', 7])
  // @ts-expect-error: a key is text, a number, a bigint, a boolean, or a list of those.
  await limiter.consume({ id: 7 })
  // @ts-expect-error: verdicts are what they are.
  if (source === 'redis') return 0
  const text: string = await limiter.run('k', ({ remaining }) => `${remaining}`)
  return allowed ? text.length : retryAfterMs + policies.length
}
