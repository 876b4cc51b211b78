/** An application of Nest: a decorated service that is injected, and decorated routes. */

import 'reflect-metadata'
import { equal } from 'node:assert/strict'
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  Param,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Cacheable, CacheManager, createCacheManager, RateLimited } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { check } from './check.js'
import { ProductService } from './service.js'

Injectable()(ProductService)

@Controller('products')
class ProductController {
  routeLoads = 0

  constructor(@Inject(ProductService) readonly products: ProductService) {}

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

  @Get(':id')
  async find(@Param('id') id: string): Promise<object> {
    return { found: await this.products.find(id), loads: this.products.loads }
  }
}

@Injectable()
class ClosesCaches implements OnApplicationShutdown {
  constructor(@Inject('CACHES') readonly caches: CacheManager) {}

  async onApplicationShutdown(): Promise<void> {
    await this.caches.close()
  }
}

@Module({
  controllers: [ProductController],
  providers: [
    ProductService,
    ClosesCaches,
    {
      provide: 'CACHES',
      useFactory: () => createCacheManager({ namespace: 'nest', local: lruStore() }),
    },
  ],
})
class AppModule {}

async function main(): Promise<void> {
  await check()
  const app = await NestFactory.create(AppModule, { logger: false })
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`${url}/products/${path}`)
    return [response.status, await response.text()]
  }
  for (let i = 0; i < 2; i++) {
    equal((await get('1'))[1], '{"found":{"id":"1","price":10},"loads":1}')
    equal((await get('named/a'))[1], '{"id":"a","loads":1}')
    equal((await get('above/b'))[1], '{"id":"b","loads":2}')
  }
  equal((await get('limited'))[0], 200)
  equal((await get('limited'))[0], 500)
  const caches = app.get<CacheManager>('CACHES')
  await app.close()
  equal(caches.isClosed, true)
}

main().then(
  () => console.log('checked in Nest'),
  (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  },
)
