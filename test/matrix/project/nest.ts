/** An application of Nest with `@larder/nest`: a decorated service that is injected, decorated routes, a limit, a health check. */

import 'reflect-metadata'
import { equal } from 'node:assert/strict'
import { type Cache, Cacheable, CacheManager, RateLimited } from '@larder/core'
import { lruStore } from '@larder/local-store'
import {
  CACHES,
  InjectCache,
  InjectCaches,
  LarderModule,
  LarderRateLimitGuard,
  RateLimit,
} from '@larder/nest'
import { LarderHealthIndicator } from '@larder/nest/terminus'
import { Controller, Get, Inject, Injectable, Module, Param, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus'
import { check } from './check.js'
import { ProductService } from './service.js'

Injectable()(ProductService)

@Controller('products')
class ProductController {
  routeLoads = 0

  constructor(
    @Inject(ProductService) readonly products: ProductService,
    @InjectCaches() readonly caches: CacheManager,
    @InjectCache('routes') readonly routes: Cache<object>,
  ) {}

  @Get('named/:id')
  @Cacheable({ cache: 'routes', key: (id: string) => id })
  async named(@Param('id') id: string): Promise<object> {
    this.routeLoads += 1
    return { id, loads: this.routeLoads }
  }

  @Cacheable({ cache: 'routes-above', key: (id: string) => id })
  @Get('above/:id')
  async above(@Param('id') id: string): Promise<object> {
    this.routeLoads += 1
    return { id, loads: this.routeLoads }
  }

  @Get('limited')
  @RateLimited({ limit: 1, per: '1h' })
  async limited(): Promise<string> {
    return 'allowed'
  }

  @Get('guarded')
  @UseGuards(LarderRateLimitGuard)
  @RateLimit({ limit: 1, per: '1h' })
  guarded(): string {
    return 'allowed'
  }

  @Get(':id')
  async find(@Param('id') id: string): Promise<object> {
    return { found: await this.products.find(id), loads: this.products.loads }
  }
}

@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) readonly health: HealthCheckService,
    @Inject(LarderHealthIndicator) readonly larder: LarderHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<unknown> {
    return this.health.check([() => this.larder.check('cache')])
  }
}

@Module({
  imports: [LarderModule.forRoot({ namespace: 'nest', local: lruStore() }), TerminusModule],
  controllers: [ProductController, HealthController],
  providers: [ProductService, LarderHealthIndicator],
})
class AppModule {}

async function main(): Promise<void> {
  await check()
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false })
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const ask = (path: string): Promise<Response> => fetch(url + path)
  const get = async (path: string): Promise<string> => (await ask(`/products/${path}`)).text()
  for (let i = 0; i < 2; i++) {
    equal(await get('1'), '{"found":{"id":"1","price":10},"loads":1}')
    equal(await get('named/a'), '{"id":"a","loads":1}')
    equal(await get('above/b'), '{"id":"b","loads":2}')
  }
  for (const path of ['limited', 'guarded']) {
    equal((await ask(`/products/${path}`)).status, 200)
    const refused = await ask(`/products/${path}`)
    equal(refused.status, 429)
    equal(/^application\/problem\+json/.test(refused.headers.get('content-type') ?? ''), true)
  }
  const { status, info } = (await (await ask('/health')).json()) as {
    status: string
    info: { cache: { status: string; degraded: boolean } }
  }
  equal([status, info.cache.status, info.cache.degraded].join(), 'ok,up,false')
  const caches = app.get<CacheManager>(CACHES)
  const { caches: injected, routes } = app.get(ProductController)
  equal(injected, caches)
  equal(caches instanceof CacheManager, true)
  equal(JSON.stringify(await routes.get('a')), '{"id":"a","loads":1}')
  await app.close()
  equal(caches.isClosed, true)
}

main().then(
  () => console.log('checked in Nest'),
  (error: unknown) => {
    console.error(error)
    // The application may be open.
    process.exit(1)
  },
)
