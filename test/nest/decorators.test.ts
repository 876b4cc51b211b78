/** Larder's decorators and Nest's on one method, in every order: routes, parameters, guards, roles and Swagger stay. */

import { Cacheable, CacheEvict, type CacheManager, RateLimited, WithLock } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { CACHES, LarderModule, LarderRateLimitGuard, RateLimit } from '@larder/nest'
import {
  applyDecorators,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  Inject,
  Injectable,
  Param,
  ParseIntPipe,
  Post,
  Query,
  SetMetadata,
  type Type,
  UseGuards,
} from '@nestjs/common'
import { APP_GUARD, Reflector } from '@nestjs/core'
import { ApiOkResponse, ApiOperation, DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { describe, expect, it } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { PLATFORMS, startApp } from './support/apps.ts'

const module = () => LarderModule.forRoot({ namespace: freshNamespace(), local: lruStore() })
const Roles = (...roles: readonly string[]) => SetMetadata('roles', roles)

@Injectable()
class RolesGuard implements CanActivate {
  constructor(@Inject(Reflector) readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const roles = this.reflector.getAllAndOverride<readonly string[] | undefined>('roles', [
      context.getHandler(),
      context.getClass(),
    ])
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string> }>()
    return roles === undefined || roles.includes(`${request.headers['x-role']}`)
  }
}

const NESTS: Readonly<Record<string, () => MethodDecorator>> = {
  get: () => Get(':id'),
  guards: () => UseGuards(LarderRateLimitGuard),
  roles: () => Roles('admin'),
  swagger: () =>
    applyDecorators(ApiOperation({ summary: 'finds' }), ApiOkResponse({ description: 'found' })),
  header: () => Header('x-from', 'nest'),
  limit: () => RateLimit({ limit: 100, per: '1h' }),
}
const LARDERS: Readonly<Record<string, () => MethodDecorator>> = {
  cacheable: () =>
    Cacheable({ cache: 'rows', key: (id: number) => `${id}` }) as unknown as MethodDecorator,
  lock: () => WithLock({ key: (id: number) => `${id}` }) as unknown as MethodDecorator,
  limited: () => RateLimited({ limit: 100, per: '1h' }) as unknown as MethodDecorator,
}

/** A controller whose method has these decorators, the first outermost. */
function controllerWith(decorators: readonly MethodDecorator[]): Type {
  @Controller('rows')
  class Rows {
    loads = 0

    async find(id: number, query: string): Promise<object> {
      this.loads += 1
      return { id, query: query ?? null, loads: this.loads }
    }
  }
  const { prototype } = Rows
  Param('id', ParseIntPipe)(prototype, 'find', 0)
  Query('q')(prototype, 'find', 1)
  Reflect.defineMetadata('design:paramtypes', [Number, String], prototype, 'find')
  let descriptor = Object.getOwnPropertyDescriptor(prototype, 'find') as PropertyDescriptor
  for (const decorator of decorators.toReversed())
    descriptor =
      (decorator(prototype, 'find', descriptor) as PropertyDescriptor | undefined) ?? descriptor
  Object.defineProperty(prototype, 'find', descriptor)
  return Rows
}

/** Every place of one among others, then every one of all rotations of the others. */
function orders(larder: string): readonly (readonly string[])[] {
  const names = Object.keys(NESTS)
  return names.flatMap((_, turn) => {
    const turned = [...names.slice(turn), ...names.slice(0, turn)]
    return Array.from({ length: names.length + 1 }, (__, at) => turned.toSpliced(at, 0, larder))
  })
}

const ALL = { ...NESTS, ...LARDERS }

describe.each(PLATFORMS)('on %s', (platform) => {
  it.each(Object.keys(LARDERS))('%s stands anywhere among those of Nest', async (larder) => {
    // All of them once: which decorator is where does not depend on the platform.
    const isWhole = platform === 'Express' && process.env['NEST'] === '12'
    const some = isWhole ? orders(larder) : orders(larder).filter((__, i) => i % 5 === 0)
    for (const order of some) {
      const decorators = order.map((name) => ALL[name]?.() as MethodDecorator)
      const { get, app } = await startApp(
        {
          imports: [module()],
          controllers: [controllerWith(decorators)],
          providers: [{ provide: APP_GUARD, useClass: RolesGuard }],
        },
        { platform },
      )
      const where = order.join(', ')
      expect((await get('/rows/7')).status, where).toBe(403)
      const found = await get('/rows/7?q=x', { 'x-role': 'admin' })
      expect(found.body, where).toEqual({ id: 7, query: 'x', loads: 1 })
      expect(found.headers.get('x-from'), where).toBe('nest')
      expect(found.headers.get('ratelimit-policy'), where).toBe('"Rows.find";q=100;w=3600')
      expect((await get('/rows/seven', { 'x-role': 'admin' })).status, where).toBe(400)
      const document = SwaggerModule.createDocument(app, new DocumentBuilder().build())
      expect(document.paths['/rows/{id}']?.get, where).toMatchObject({
        summary: 'finds',
        responses: { 200: { description: 'found' } },
        parameters: expect.arrayContaining([
          expect.objectContaining({ name: 'id', in: 'path' }),
          expect.objectContaining({ name: 'q', in: 'query' }),
        ]),
      })
      await app.close()
    }
  })

  it('guards run before a cached handler, for hits too', async () => {
    @Controller('secret')
    class Secret {
      @Get(':id')
      @Roles('admin')
      @Cacheable({ cache: 'secrets', key: (id: string) => id })
      async find(@Param('id') id: string): Promise<object> {
        return { id }
      }

      @Post(':id')
      @HttpCode(204)
      @CacheEvict({ cache: 'secrets', key: (id: string) => id })
      async remove(@Param('id') id: string): Promise<void> {
        void id
      }
    }
    const { get, url, app } = await startApp(
      {
        imports: [module()],
        controllers: [Secret],
        providers: [{ provide: APP_GUARD, useClass: RolesGuard }],
      },
      { platform },
    )
    expect((await get('/secret/1', { 'x-role': 'admin' })).body).toEqual({ id: '1' })
    const secrets = app.get<CacheManager>(CACHES).cache('secrets')
    expect(await secrets.get('1')).toEqual({ id: '1' })
    expect((await get('/secret/1')).status).toBe(403)
    expect((await get('/secret/1', { 'x-role': 'guest' })).status).toBe(403)
    expect((await fetch(`${url}/secret/1`, { method: 'POST' })).status).toBe(204)
    expect(await secrets.get('1')).toBeUndefined()
  })
})
