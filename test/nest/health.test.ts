/** The health indicator, and the end of an application, with Redis there, away and hung. */

import type { CacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { CACHES, LarderModule } from '@larder/nest'
import { LarderHealthIndicator } from '@larder/nest/terminus'
import { redisStore } from '@larder/redis-store'
import { Controller, Get, Inject } from '@nestjs/common'
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus'
import { describe, expect, it } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { PLATFORMS, startApp } from './support/apps.ts'

@Controller('health')
class Health {
  constructor(
    @Inject(HealthCheckService) readonly health: HealthCheckService,
    @Inject(LarderHealthIndicator) readonly larder: LarderHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  usual() {
    return this.health.check([() => this.larder.check('cache')])
  }

  @Get('strict')
  @HealthCheck()
  strict() {
    return this.health.check([() => this.larder.check('cache', { strict: true })])
  }

  @Get('wrong')
  wrong() {
    return this.larder.check('cache', { strickt: true } as never)
  }
}

const parts = (url?: string) => ({
  imports: [
    LarderModule.forRoot({
      namespace: freshNamespace(),
      local: lruStore(),
      logger: false,
      ...(url === undefined ? {} : { remote: redisStore({ url }) }),
    }),
    TerminusModule,
  ],
  controllers: [Health],
  providers: [LarderHealthIndicator],
})

describe.each(PLATFORMS)('on %s', (platform) => {
  it('is up without a shared store, and with one that answers, at the first question', async () => {
    const alone = await startApp(parts(), { platform })
    for (const path of ['/health', '/health/strict']) {
      const answer = await alone.get(path)
      expect(answer.status).toBe(200)
      expect(answer.body).toMatchObject({
        status: 'ok',
        info: { cache: { status: 'up', degraded: false, reasons: [], breaker: 'none' } },
      })
    }
    await using redis = await startRedis()
    const shared = await startApp(parts(redis.url), { platform })
    expect((await shared.get('/health/strict')).body).toMatchObject({
      details: {
        cache: { status: 'up', degraded: false, coherence: 'verified', breaker: 'closed' },
      },
    })
  })

  it('stays up and says degraded while Redis is away; strict is down; both know when it is back', async () => {
    await using redis = await startRedis()
    const { get } = await startApp(parts(redis.url), { platform })
    expect((await get('/health')).status).toBe(200)
    await redis.stop()
    await expect
      .poll(async () => (await get('/health')).body, { timeout: 20_000 })
      .toMatchObject({ status: 'ok', info: { cache: { status: 'up', degraded: true } } })
    const usual = await get('/health')
    expect(usual.status).toBe(200)
    expect(usual.text).not.toContain('127.0.0.1')
    const strict = await get('/health/strict')
    expect(strict.status).toBe(503)
    expect(strict.body).toMatchObject({ error: { cache: { status: 'down', degraded: true } } })
    await redis.restart()
    await expect
      .poll(async () => (await get('/health/strict')).status, { timeout: 20_000 })
      .toBe(200)
  })
})

it('a wrong option is an error that names it', async () => {
  const { app, get } = await startApp(parts())
  await expect(app.get(LarderHealthIndicator).check('')).rejects.toThrow(/check\.name/)
  await expect(app.get(LarderHealthIndicator).check('c', { strict: 1 as never })).rejects.toThrow(
    /check\.strict/,
  )
  expect((await get('/health/wrong')).status).toBe(500)
})

it('app.close() ends in time where Redis is gone, and where it hangs', async () => {
  for (const how of ['stop', 'pause'] as const) {
    await using redis = await startRedis()
    const { app } = await startApp(parts(redis.url))
    const caches = app.get<CacheManager>(CACHES)
    await caches.ready({ timeout: '10s' })
    await caches.cache('x').set('k', 1)
    await redis[how]()
    // Has to reach Redis, and cannot.
    await caches.cache('x').evict('k')
    await app.close()
    expect(caches.isClosed).toBe(true)
    if (how === 'pause') await redis.resume()
  }
})
