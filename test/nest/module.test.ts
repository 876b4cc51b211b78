/** `LarderModule`: how it is configured, what it provides, and that it ends with the application. */

import { createRequire } from 'node:module'
import {
  type Cache,
  Cacheable,
  CacheManager,
  type CacheManagerOptions,
  createCacheManager,
  InvalidOptionError,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  CACHES,
  cacheToken,
  InjectCache,
  InjectCaches,
  LarderModule,
  type LarderOptionsFactory,
} from '@larder/nest'
import { redisStore } from '@larder/redis-store'
import { Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { expect, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { redisUrl } from './support/redis.ts'

const options = (): CacheManagerOptions => ({ namespace: freshNamespace(), local: lruStore() })

@Injectable()
class Prices {
  loads = 0

  constructor(
    @InjectCaches() readonly caches: CacheManager,
    @InjectCache('prices') readonly prices: Cache<number>,
  ) {}

  @Cacheable({ key: (id: string) => id, cache: 'prices' })
  async price(id: string): Promise<string> {
    this.loads += 1
    return `price of ${id}`
  }
}

async function started(module: unknown, providers: readonly unknown[] = [Prices]) {
  const compiled = await Test.createTestingModule({
    imports: [module as never],
    providers: providers as never[],
  }).compile()
  await compiled.init()
  onTestFinished(() => compiled.close())
  return compiled
}

it(`runs on Nest ${process.env['NEST']}`, () => {
  const folder = process.env['NEST'] === '11' ? './nest-11/x.js' : './x.js'
  const require = createRequire(new URL(folder, import.meta.url))
  const { version } = require('@nestjs/core/package.json') as { version: string }
  expect(version.split('.')[0]).toBe(process.env['NEST'])
  // What was imported is of that version, for tests and for the package.
  expect((require('@nestjs/common') as { Injectable: unknown }).Injectable).toBe(Injectable)
  expect(
    (require('@nestjs/core') as { APP_FILTER: unknown; NestFactory: unknown }).NestFactory,
  ).toBe(NestFactory)
})

it('forRoot provides the manager and the caches that classes ask for', async () => {
  const app = await started(LarderModule.forRoot(options()))
  const prices = app.get(Prices)
  expect(prices.caches).toBe(app.get(CACHES))
  expect(prices.caches).toBeInstanceOf(CacheManager)
  expect(prices.prices).toBe(app.get(cacheToken('prices')))
  expect(await prices.price('1')).toBe('price of 1')
  expect(await prices.prices.get('1')).toBe('price of 1')
})

@Injectable()
class Config {
  readonly namespace = freshNamespace()
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Injectable()
class Factory implements LarderOptionsFactory {
  async createLarderOptions(): Promise<CacheManagerOptions> {
    return { namespace: 'from-a-class', local: lruStore() }
  }
}

@Module({ providers: [Factory], exports: [Factory] })
class FactoryModule {}

it('forRootAsync takes a factory with what it injects, a class, and a class that exists', async () => {
  const byFactory = await started(
    LarderModule.forRootAsync({
      imports: [ConfigModule],
      inject: [Config],
      useFactory: async (config: Config) => ({ ...options(), namespace: config.namespace }),
    }),
  )
  expect(byFactory.get(Prices).caches.namespace).toBe(
    byFactory.get(Config, { strict: false }).namespace,
  )
  const byClass = await started(LarderModule.forRootAsync({ useClass: Factory }))
  expect(byClass.get(Prices).caches.namespace).toBe('from-a-class')
  const byExisting = await started(
    LarderModule.forRootAsync({ imports: [FactoryModule], useExisting: Factory }),
  )
  expect(byExisting.get(Prices).caches.namespace).toBe('from-a-class')
})

it('is global unless it is told otherwise', async () => {
  @Module({ providers: [Prices], exports: [Prices] })
  class PricesModule {}

  const build = (isGlobal?: boolean) =>
    Test.createTestingModule({
      imports: [
        LarderModule.forRoot({ ...options(), ...(isGlobal === undefined ? {} : { isGlobal }) }),
        PricesModule,
      ],
    }).compile()
  const app = await build()
  onTestFinished(() => app.close())
  expect(app.get(Prices, { strict: false }).caches).toBe(app.get(CACHES, { strict: false }))
  await expect(build(false)).rejects.toThrow(/resolve dependencies/)
})

it('closes the manager when the application is closed, with or without shutdown hooks', async () => {
  for (const hooks of [true, false]) {
    const compiled = await Test.createTestingModule({
      imports: [LarderModule.forRoot({ ...options(), remote: redisStore({ url: redisUrl() }) })],
      providers: [Prices],
    }).compile()
    const app = compiled.createNestApplication({ logger: false })
    if (hooks) app.enableShutdownHooks()
    await app.init()
    const { caches } = app.get(Prices)
    await caches.ready({ timeout: '10s' })
    await app.close()
    expect(caches.isClosed).toBe(true)
  }
})

it('services may use their caches while they shut down', async () => {
  const seen: unknown[] = []

  @Injectable()
  class Late extends Prices {
    async onApplicationShutdown(): Promise<void> {
      seen.push(await this.price('last'))
    }
  }
  @Module({ providers: [Late] })
  class LateModule {}
  const app = await Test.createTestingModule({
    imports: [LateModule, LarderModule.forRoot(options())],
  }).compile()
  await app.init()
  await app.close()
  expect(seen).toEqual(['price of last'])
})

it('a manager that somebody else made is used, and is not closed', async () => {
  const own = createCacheManager({ ...options(), default: false })
  onTestFinished(() => own.close())
  for (const module of [
    LarderModule.forRoot(own),
    LarderModule.forRootAsync({ useFactory: () => own }),
  ]) {
    const app = await started(module)
    expect(app.get(Prices).caches).toBe(own)
    await app.close()
    expect(own.isClosed).toBe(false)
  }
})

it('overrideProvider(CACHES) puts another manager in its place, for decorated methods too', async () => {
  const other = createCacheManager({ ...options(), default: false, enabled: false })
  onTestFinished(() => other.close())
  const app = await Test.createTestingModule({
    imports: [LarderModule.forRoot(options())],
    providers: [Prices],
  })
    .overrideProvider(CACHES)
    .useValue(other)
    .compile()
  await app.init()
  const prices = app.get(Prices)
  expect(prices.caches).toBe(other)
  await prices.price('1')
  await prices.price('1')
  expect(prices.loads).toBe(2)
  await app.close()
  expect(other.isClosed).toBe(false)
})

it('overrideProvider of a cache, and a stub instead of a manager', async () => {
  const app = await Test.createTestingModule({
    imports: [LarderModule.forRoot(options())],
    providers: [Prices],
  })
    .overrideProvider(cacheToken('prices'))
    .useValue('a stub')
    .overrideProvider(CACHES)
    .useValue({ cache: () => 'another' })
    .compile()
  await app.init()
  expect(app.get(Prices).prices).toBe('a stub')
  await app.close()
})

it('wrong options are errors that name them', async () => {
  expect(() => LarderModule.forRootAsync({})).toThrow(/one of useFactory, useClass and useExisting/)
  expect(() => LarderModule.forRootAsync({ useFactorie: 1 } as never)).toThrow(/useFactory/)
  expect(() => LarderModule.forRootAsync(undefined as never)).toThrow(InvalidOptionError)
  expect(() => LarderModule.forRoot(undefined as never)).toThrow(InvalidOptionError)
  expect(() => LarderModule.forRoot({ ...options(), isGlobal: 1 as never })).toThrow(/isGlobal/)
  expect(() => LarderModule.forRoot({ ...options(), filter: 'no' as never })).toThrow(/filter/)
  expect(() => InjectCache('a b')).toThrow(/@InjectCache\.name/)
  expect(() => InjectCache(undefined as never)).toThrow(InvalidOptionError)
  await expect(started(LarderModule.forRoot({ namespace: '' }))).rejects.toThrow(/namespace/)
  await expect(
    started(LarderModule.forRootAsync({ useFactory: () => undefined as never })),
  ).rejects.toThrow(InvalidOptionError)
})
