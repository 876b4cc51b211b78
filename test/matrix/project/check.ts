/** Calls the service, in process and with a Redis if there is one, and throws when it does not do what it says. */

import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import {
  type CacheManager,
  createCacheManager,
  describeClass,
  InvalidOptionError,
  LarderError,
  LockTimeoutError,
  RateLimitedError,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { compression } from '@larder/plugins/compression'
import { encryption } from '@larder/plugins/encryption'
import { redisStore } from '@larder/redis-store'
import { ProductService, UnnamedService } from './service.js'

/** Throws unless everything works; `REDIS_URL` says where a Redis is, `MINIFIED` that names of classes are gone. */
export async function check(): Promise<string> {
  const { REDIS_URL: url, MINIFIED: minified } = process.env
  const local = createCacheManager({ namespace: 'matrix', local: lruStore() })
  await checkService(local)
  await checkUnnamed(local)
  await local.close()
  if (url === undefined) return 'in process'
  const shared = createCacheManager({
    namespace: `matrix-${randomUUID()}`,
    local: lruStore(),
    remote: redisStore({ url }),
    plugins: [
      compression({ algorithm: 'gzip', threshold: '1kb' }),
      encryption({ keys: [{ key: randomBytes(32) }] }),
    ],
  })
  await shared.ready()
  await checkService(shared)
  if (minified === 'true') await refusesShortNames()
  else await checkUnnamed(shared)
  await shared.clear()
  await shared.close()
  return 'in process and with Redis'
}

async function checkService(caches: CacheManager): Promise<void> {
  const service = new ProductService()
  await checkEntries(service)
  await checkLock(service)
  await checkLimit(service)

  const { methods } = describeClass(ProductService)
  const reading = methods.find(({ name }) => name === 'find')
  equal(reading?.cache, 'products', 'the name of a cache is the one that was given')
  ok(Object.keys(caches.stats().byCache).includes('products'))
}

async function checkEntries(service: ProductService): Promise<void> {
  deepEqual(await service.find('1'), { id: '1', price: 10 })
  await service.find('1')
  equal(service.loads, 1, 'the second call is a hit')
  await service.findMany(['1'])
  equal(service.loads, 1, 'lists and single reads share entries')
  await service.find('none')
  await service.find('none')
  equal(service.loads, 2, 'nothing is remembered as well')

  service.rows.set('1', { id: '1', price: 20 })
  await service.changedElsewhere('1')
  equal((await service.find('1'))?.price, 20, 'an eviction by hand')
  await service.save({ id: '1', price: 30 })
  equal((await service.find('1'))?.price, 30, 'a put')
  equal(service.loads, 3)
  await service.remove('1')
  equal(await service.find('1'), undefined, 'an eviction by decorator')
}

async function checkLock(service: ProductService): Promise<void> {
  await service.checkout('1', async () => {
    const second = new ProductService().checkout('2', async () => {})
    notEqual(await second, undefined, 'another key is another lock')
  })
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let entered = (): void => {}
  const inside = new Promise<void>((resolve) => {
    entered = resolve
  })
  const first = service.checkout('1', () => {
    entered()
    return held
  })
  await inside
  await rejects(
    service.checkout('1', async () => {}),
    (error: unknown) => {
      return error instanceof LockTimeoutError && error.name === 'LockTimeoutError'
    },
  )
  release()
  await first
}

async function checkLimit(service: ProductService): Promise<void> {
  const ip = randomUUID()
  equal(await service.search(ip), 'found')
  equal(await service.search(ip), 'found')
  await rejects(service.search(ip), (error: unknown) => {
    return (
      error instanceof RateLimitedError &&
      error instanceof LarderError &&
      error.name === 'RateLimitedError' &&
      error.retryAfterMs > 0
    )
  })
}

async function checkUnnamed(caches: CacheManager): Promise<void> {
  const service = new UnnamedService()
  equal(await service.find('1'), 'found 1')
  equal(await service.find('1'), 'found 1')
  UnnamedService.loads = 0
  await UnnamedService.count({ kind: 'abc' })
  await UnnamedService.count({ kind: 'abc' })
  equal(UnnamedService.loads, 1, 'a static method is cached')
  ok(Object.keys(caches.stats().byCache).includes(`${UnnamedService.name}.find`))
}

/** What a minifier calls a class is another class in the next build: no name for entries that outlive this one. */
async function refusesShortNames(): Promise<void> {
  await rejects(
    new UnnamedService().find('1'),
    (error: unknown) => error instanceof InvalidOptionError && /minifier/.test(error.message),
  )
}
