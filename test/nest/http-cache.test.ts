/** Responses of Nest's handlers from the cache, on both platforms. */

import { lruStore } from '@larder/local-store'
import { CACHES, HttpCache, LarderHttpCache, LarderModule } from '@larder/nest'
import { httpCache } from '@larder/plugins/express'
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  HttpException,
  type INestApplication,
  Param,
  Post,
  Req,
  UseGuards,
  UseInterceptors,
  Version,
  VersioningType,
} from '@nestjs/common'
import { describe, expect, it } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { PLATFORMS, startApp } from './support/apps.ts'

const module = () => LarderModule.forRoot({ namespace: freshNamespace(), local: lruStore() })

class KeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>()
    return request.headers['x-key'] !== 'wrong'
  }
}

let rendered = 0

@Controller('products')
@UseGuards(KeyGuard)
@UseInterceptors(LarderHttpCache)
@HttpCache({ ttl: '1m', tags: ['products'] })
class Products {
  @Get('plain/:id')
  @HttpCache(false)
  plain() {
    rendered += 1
    return { made: rendered }
  }

  @Get('broken/:id')
  broken() {
    rendered += 1
    throw new HttpException('gone wrong', 503)
  }

  @Get('user/:id')
  @Header('Cache-Control', 'private')
  user() {
    rendered += 1
    return { made: rendered }
  }

  @Get(':id')
  @HttpCode(203)
  @Header('X-From', 'nest')
  find(@Param('id') id: string, @Req() request: { headers: Record<string, string> }) {
    rendered += 1
    return { id, made: rendered, key: `${request.headers['x-key']}` }
  }

  @Post(':id')
  save(@Param('id') id: string) {
    return { id }
  }
}

@Controller({ path: 'versions', version: '1' })
@UseInterceptors(LarderHttpCache)
@HttpCache({ ttl: '1m' })
class Versions {
  @Get()
  first() {
    return { version: 1 }
  }

  @Get()
  @Version(['2', '3'])
  second() {
    return { version: 2 }
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = async () => {
    rendered = 0
    return startApp({ imports: [module()], controllers: [Products] }, { platform })
  }

  it('a handler’s response is kept with its status, fields and type, and shows nothing of who asked', async () => {
    const { get } = await start()
    const [first, second] = [await get('/products/1', { 'x-key': 'ann' }), await get('/products/1')]
    expect(second.body).toEqual({ id: '1', made: 1, key: 'undefined' })
    expect([first.text, first.status, second.status]).toEqual([second.text, 203, 203])
    expect(second.headers.get('x-from')).toBe('nest')
    expect(second.headers.get('content-type')).toMatch(/^application\/json/)
    expect(second.headers.get('cache-status')).toMatch(/^larder; hit/)
  })

  it('guards run before what is kept is served', async () => {
    const { get } = await start()
    await get('/products/1')
    expect((await get('/products/1', { 'x-key': 'wrong' })).status).toBe(403)
    expect(rendered).toBe(1)
  })

  it('a method may say that it is not kept, and a response that it is private', async () => {
    const { get } = await start()
    for (const path of ['/products/plain/1', '/products/user/1']) {
      const [first, second] = [await get(path), await get(path)]
      expect(first.text).not.toBe(second.text)
    }
  })

  it('handlers of several versions of one path have responses of their own', async () => {
    const prepare = (app: INestApplication) =>
      void app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' })
    const parts = { imports: [module()], controllers: [Versions] }
    const { get } = await startApp(parts, { platform, prepare })
    const versions: unknown[] = []
    for (const version of ['1', '2', '3', '1'])
      versions.push((await get('/versions', { 'x-version': version })).body['version'])
    expect(versions).toEqual([1, 2, 2, 1])
  })

  it('a handler with two interceptors is kept, and told apart by its host', async () => {
    const parts = { imports: [module()], controllers: [Products] }
    const prepare = (app: INestApplication) =>
      void app.useGlobalInterceptors(new LarderHttpCache(app.get(CACHES)))
    rendered = 0
    const { get } = await startApp(parts, { platform, prepare })
    const [first, second] = [await get('/products/1'), await get('/products/1')]
    expect([first.body['made'], second.body['made']]).toEqual([1, 1])
  })

  it('an exception is answered as it is without the cache, and is not kept', async () => {
    const { get } = await start()
    expect((await get('/products/broken/1')).status).toBe(503)
    expect((await get('/products/broken/1')).status).toBe(503)
    expect(rendered).toBe(2)
  })

  it('ends by its tag, by its path, and by an answer to another method', async () => {
    const { app, url, get } = await start()
    const next = async () => (await get('/products/1')).body['made']
    expect([await next(), await next()]).toEqual([1, 1])
    await app.get(CACHES).evictTags(['products'])
    expect(await next()).toBe(2)
    await httpCache.evict(app.get(CACHES), '/products/1')
    expect(await next()).toBe(3)
    expect((await fetch(`${url}/products/1`, { method: 'POST' })).status).toBe(201)
    expect(await next()).toBe(4)
  })
})

it('options are refused at definition', () => {
  expect(() => HttpCache({ tll: '1m' } as never)).toThrow(/@HttpCache\.tll .*ttl/s)
  expect(() => HttpCache({ caches: 1 } as never)).toThrow('@HttpCache.caches')
})
