/** `LarderRateLimitGuard` and `@RateLimit` in HTTP, on both platforms. */

import {
  type CacheManager,
  type CacheManagerOptions,
  createCacheManager,
  InvalidOptionError,
} from '@larder/core'
import { localLimits, lruStore } from '@larder/local-store'
import {
  CACHES,
  type HandlerCall,
  LarderModule,
  LarderRateLimitGuard,
  RateLimit,
} from '@larder/nest'
import { redisStore } from '@larder/redis-store'
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Param,
  Req,
  UseGuards,
} from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { describe, expect, it } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { PLATFORMS, startApp } from './support/apps.ts'
import { redisUrl } from './support/redis.ts'

const inProcess = (): CacheManagerOptions => ({ namespace: freshNamespace(), local: lruStore() })
const onRedis = (): CacheManagerOptions => ({
  ...inProcess(),
  remote: redisStore({ url: redisUrl() }),
  logger: false,
})
const QUOTA = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

/** Says who the user is, from a field. */
@Injectable()
class AuthGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{
      headers: Record<string, string>
      user?: { id: string }
    }>()
    const id = request.headers['x-user']
    if (id === undefined) return false
    request.user = { id }
    return true
  }
}

type WithUser = { readonly user: { readonly id: string } }

@Controller('shop')
@UseGuards(LarderRateLimitGuard)
class Shop {
  @Get('address')
  @RateLimit({ limit: 2, per: '1h' })
  address(@Req() request: { rateLimit?: { remaining: number } }) {
    return { remaining: request.rateLimit?.remaining }
  }

  @Get('free')
  free() {
    return { free: true }
  }

  @Get('fails')
  @RateLimit({ limit: 2, per: '1h', key: () => 'all' })
  fails(): never {
    throw new Error('a fault')
  }

  @Get('several')
  @RateLimit({
    name: 'burst',
    limit: 1,
    per: '1h',
    key: ({ request }) => `${request.headers['x-user']}`,
  })
  @RateLimit({ name: 'all', limit: 3, per: '1h', key: () => 'all' })
  several() {
    return {}
  }
}

@Controller('users')
class Users {
  @Get('after-auth')
  @UseGuards(AuthGuard, LarderRateLimitGuard)
  @RateLimit<WithUser>({ limit: 1, per: '1h', key: ({ request }) => request.user.id })
  afterAuth() {
    return {}
  }

  @Get('item/:id')
  @UseGuards(LarderRateLimitGuard)
  @RateLimit({ limit: 1, per: '1h', key: ({ request }) => (request.params as { id: string }).id })
  item(@Param('id') id: string) {
    return { id }
  }
}

describe.each([
  ['in process', inProcess],
  ['on Redis', onRedis],
] as const)('%s', (_, options) => {
  describe.each(PLATFORMS)('on %s', (platform) => {
    const start = (more: object = {}) =>
      startApp(
        { imports: [LarderModule.forRoot(options())], controllers: [Shop, Users], ...more },
        { platform },
      )

    it('admits a limit of calls, and answers the next with 429, a problem document and fields', async () => {
      const { get } = await start()
      const first = await get('/shop/address')
      expect(first.status).toBe(200)
      expect(first.body).toEqual({ remaining: 1 })
      expect(first.headers.get('ratelimit-policy')).toBe('"Shop.address";q=2;w=3600')
      expect(first.headers.get('ratelimit')).toMatch(/^"Shop\.address";r=1;t=\d+$/)
      expect((await get('/shop/address')).status).toBe(200)
      const refused = await get('/shop/address')
      expect(refused.status).toBe(429)
      expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect(refused.body).toMatchObject({
        type: QUOTA,
        status: 429,
        'violated-policies': ['Shop.address'],
      })
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000)
      expect(refused.headers.get('ratelimit')).toMatch(/^"Shop\.address";r=0;t=\d+$/)
      expect((await get('/shop/free')).headers.get('ratelimit')).toBeNull()
    })

    it('a handler that fails keeps its fields', async () => {
      const { get } = await start()
      const failed = await get('/shop/fails')
      expect(failed.status).toBe(500)
      expect(failed.headers.get('ratelimit')).toMatch(/r=1/)
    })

    it('a call is admitted by all limits of a method, or counts in none', async () => {
      const { get } = await start()
      const ask = async (user: string) => (await get('/shop/several', { 'x-user': user })).status
      expect(await ask('a')).toBe(200)
      for (let i = 0; i < 5; i++) expect(await ask('a')).toBe(429)
      expect([await ask('b'), await ask('c')]).toEqual([200, 200])
      expect(await ask('d')).toBe(429)
    })

    it('runs after the guards before it, and sees what they know', async () => {
      const { get } = await start({ providers: [AuthGuard] })
      const ask = async (user?: string) =>
        (await get('/users/after-auth', user === undefined ? {} : { 'x-user': user })).status
      expect(await ask()).toBe(403)
      expect([await ask('a'), await ask('a'), await ask('b')]).toEqual([200, 429, 200])
      expect((await get('/users/item/1')).status).toBe(200)
      expect((await get('/users/item/1')).status).toBe(429)
      expect((await get('/users/item/2')).status).toBe(200)
    })
  })
})

it('a class has one limit for its handlers, which a method replaces or leaves', async () => {
  @Controller('class')
  @UseGuards(LarderRateLimitGuard)
  @RateLimit({ limit: 2, per: '1h' })
  class Limited {
    @Get('a')
    a() {
      return {}
    }

    @Get('b')
    b() {
      return {}
    }

    @Get('own')
    @RateLimit({ limit: 1, per: '1h' })
    own() {
      return {}
    }

    @Get('free')
    @RateLimit(false)
    free() {
      return {}
    }
  }
  const { get } = await startApp({
    imports: [LarderModule.forRoot(inProcess())],
    controllers: [Limited],
  })
  const status = async (path: string) => (await get(`/class/${path}`)).status
  expect([await status('a'), await status('b'), await status('a')]).toEqual([200, 200, 429])
  expect([await status('own'), await status('own')]).toEqual([200, 429])
  expect([await status('free'), await status('free'), await status('free')]).toEqual([
    200, 200, 200,
  ])
})

it('classes that inherit a handler have a limit each', async () => {
  abstract class Base {
    @Get()
    @UseGuards(LarderRateLimitGuard)
    @RateLimit({ limit: 1, per: '1h' })
    find() {
      return {}
    }
  }
  @Controller('cats')
  class Cats extends Base {}
  @Controller('dogs')
  class Dogs extends Base {}
  const { get } = await startApp({
    imports: [LarderModule.forRoot(inProcess())],
    controllers: [Cats, Dogs],
  })
  const status = async (path: string) => (await get(path)).status
  expect([await status('/cats'), await status('/dogs'), await status('/cats')]).toEqual([
    200, 200, 429,
  ])
})

it('a guard that stands there twice, and globally, counts a call once', async () => {
  @Controller('twice')
  @UseGuards(LarderRateLimitGuard)
  class Twice {
    @Get()
    @UseGuards(LarderRateLimitGuard)
    @RateLimit({ limit: 2, per: '1h' })
    find() {
      return {}
    }
  }
  const { get } = await startApp({
    imports: [LarderModule.forRoot(inProcess())],
    controllers: [Twice],
    providers: [{ provide: APP_GUARD, useClass: LarderRateLimitGuard }],
  })
  const all = [await get('/twice'), await get('/twice'), await get('/twice')]
  expect(all.map(({ status }) => status)).toEqual([200, 200, 429])
})

it('a limit that no guard asks is an error when the application starts, and not no limit', async () => {
  @Controller('open')
  class Open {
    @Get()
    @RateLimit({ limit: 1, per: '1h' })
    find() {
      return {}
    }
  }
  @Controller('open-class')
  @RateLimit({ limit: 1, per: '1h' })
  class OpenClass {
    @Get()
    find() {
      return {}
    }
  }
  for (const controller of [Open, OpenClass]) {
    const parts = () => ({
      imports: [LarderModule.forRoot(inProcess())],
      controllers: [controller],
    })
    await expect(startApp(parts())).rejects.toThrow(
      /@RateLimit\(Open.*LarderRateLimitGuard guards: @UseGuards/,
    )
    const { get } = await startApp({
      ...parts(),
      providers: [{ provide: APP_GUARD, useClass: LarderRateLimitGuard }],
    })
    const path = controller === Open ? '/open' : '/open-class'
    expect([(await get(path)).status, (await get(path)).status]).toEqual([200, 429])
  }
})

it('a guard of the application, its subclass and an existing one are seen', async () => {
  @Injectable()
  class Own extends LarderRateLimitGuard {}

  @Controller('seen')
  class Seen {
    @Get()
    @RateLimit({ limit: 1, per: '1h' })
    find() {
      return {}
    }
  }
  for (const provider of [
    { provide: APP_GUARD, useClass: Own },
    { provide: APP_GUARD, useExisting: LarderRateLimitGuard },
    {
      provide: APP_GUARD,
      inject: [LarderRateLimitGuard],
      useFactory: (guard: LarderRateLimitGuard) => guard,
    },
  ]) {
    const { get } = await startApp({
      imports: [LarderModule.forRoot(inProcess())],
      controllers: [Seen],
      providers: [provider],
    })
    expect([(await get('/seen')).status, (await get('/seen')).status]).toEqual([200, 429])
  }
})

it('wrong options are errors at definition or when the application starts', async () => {
  expect(() => RateLimit({ limit: -1, per: '1m' })).toThrow(/@RateLimit.*limit/)
  expect(() => RateLimit({ limit: 1, per: '5 minutes' as never })).toThrow(/@RateLimit.*per/)
  expect(() => RateLimit({ limit: 1, per: '1m', limitt: 2 } as never)).toThrow(/Did you mean limit/)
  expect(() => RateLimit(undefined as never)).toThrow(InvalidOptionError)
  expect(() => RateLimit(true as never)).toThrow(InvalidOptionError)
  expect(() => RateLimit({ limit: 1, per: '1m', trustsAnyProxy: 1 as never })).toThrow(
    /trustsAnyProxy/,
  )
  const field = RateLimit({ limit: 1, per: '1m' }) as (...args: unknown[]) => void
  expect(() => field({}, 'name')).toThrow(/method or a class/)

  @Controller()
  class Wrong {
    @Get()
    @UseGuards(LarderRateLimitGuard)
    @RateLimit({ limit: 1, per: '1m', key: 'adress' as never })
    find() {
      return {}
    }
  }
  await expect(
    startApp({ imports: [LarderModule.forRoot(inProcess())], controllers: [Wrong] }),
  ).rejects.toThrow(/@RateLimit\(Wrong\.find\)\.key takes/)
})

it('two methods that a wrapper has left without a name need names', async () => {
  const wrapped: MethodDecorator = (_, __, descriptor) => {
    const own = descriptor.value as unknown as (...args: unknown[]) => unknown
    const wrapper = (...args: unknown[]): unknown => own(...args)
    for (const key of Reflect.getMetadataKeys(own) as unknown[])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, own), wrapper)
    return { ...descriptor, value: wrapper as never }
  }
  @Controller('wrapped')
  @UseGuards(LarderRateLimitGuard)
  class Wrapped {
    @wrapped
    @Get('one')
    @RateLimit({ limit: 1, per: '1m' })
    one() {
      return {}
    }

    @wrapped
    @Get('two')
    @RateLimit({ limit: 1, per: '1m' })
    two() {
      return {}
    }
  }
  await expect(
    startApp({ imports: [LarderModule.forRoot(inProcess())], controllers: [Wrapped] }),
  ).rejects.toThrow(/@RateLimit\(Wrapped\.wrapper\)\.name takes a name, because .* another method/)
})

it('two classes of one name and method need names', async () => {
  const made = (path: string) => {
    @Controller(path)
    class Same {
      @Get()
      @UseGuards(LarderRateLimitGuard)
      @RateLimit({ limit: 1, per: '1m' })
      find() {
        return {}
      }
    }
    return Same
  }
  await expect(
    startApp({ imports: [LarderModule.forRoot(inProcess())], controllers: [made('a'), made('b')] }),
  ).rejects.toThrow(
    /@RateLimit\(Same\.find\)\.name takes a name, because another class has this name/,
  )
})

it.each(PLATFORMS)(
  'on %s, a limit by address where clients choose it does not start',
  async (platform) => {
    @Controller('by')
    class ByAddress {
      @Get()
      @UseGuards(LarderRateLimitGuard)
      @RateLimit({ limit: 1, per: '1m' })
      find() {
        return {}
      }
    }
    @Controller('by')
    class Said {
      @Get()
      @UseGuards(LarderRateLimitGuard)
      @RateLimit({ limit: 1, per: '1m', trustsAnyProxy: true })
      find() {
        return {}
      }
    }
    @Controller('by')
    class Hidden {
      @Get()
      @UseGuards(LarderRateLimitGuard)
      @RateLimit({
        limit: 1,
        per: '1m',
        key: async (call: HandlerCall) => {
          await undefined
          return `${call.request.headers['x-key'] === undefined ? call.request.ip : 'key'}`
        },
      })
      find() {
        return {}
      }
    }
    const parts = (controller: new () => object) => ({
      imports: [LarderModule.forRoot(inProcess())],
      controllers: [controller],
    })
    await expect(startApp(parts(ByAddress), { platform, trustProxy: true })).rejects.toThrow(
      /@RateLimit\(ByAddress\.find\)\.key .*trusts every proxy/,
    )
    await startApp(parts(ByAddress), { platform })
    const said = await startApp(parts(Said), { platform, trustProxy: true })
    const from = (address: string) => said.get('/by', { 'x-forwarded-for': address })
    expect([(await from('1.2.3.4')).status, (await from('1.2.3.4')).status]).toEqual([200, 429])
    expect((await from('1.2.3.5')).status).toBe(200)
    // Nothing that can be counted by, and no bucket for all who send it.
    expect((await from('garbage')).status).toBe(400)
    const hidden = await startApp(parts(Hidden), { platform, trustProxy: true })
    expect((await hidden.get('/by')).status).toBe(500)
    expect((await hidden.get('/by', { 'x-key': '1' })).status).toBe(200)
  },
)

describe.each(PLATFORMS)('on %s', (platform) => {
  it('permits of concurrency end with the response, and with the client', async () => {
    const waiting: (() => void)[] = []
    const release = () => {
      for (const go of waiting.splice(0)) go()
    }
    let entered: () => void = () => undefined
    const inside = () => new Promise<void>((resolve) => (entered = resolve))

    @Controller('slow')
    class Slow {
      @Get()
      @UseGuards(LarderRateLimitGuard)
      @RateLimit({ algorithm: 'concurrency', limit: 1, key: () => 'all' })
      async find() {
        entered()
        await new Promise<void>((resolve) => waiting.push(resolve))
        return {}
      }
    }
    const { get, url, app } = await startApp(
      { imports: [LarderModule.forRoot(inProcess())], controllers: [Slow] },
      { platform },
    )
    const first = inside()
    const running = get('/slow')
    await first
    expect((await get('/slow')).status).toBe(429)
    release()
    expect((await running).status).toBe(200)
    const gone = new AbortController()
    const second = inside()
    const aborted = fetch(`${url}/slow`, { signal: gone.signal }).catch(() => undefined)
    await second
    gone.abort()
    await aborted
    const limiter = app
      .get<CacheManager>(CACHES)
      .limiter({ name: 'Slow.find', algorithm: 'concurrency', limit: 1 })
    await expect.poll(async () => (await limiter.peek('all')).remaining).toBe(1)
    const third = inside()
    const again = get('/slow')
    await third
    release()
    expect((await again).status).toBe(200)
  })

  it('refundIf gives back what the response says was free', async () => {
    @Controller('refund')
    class Refund {
      @Get(':status')
      @UseGuards(LarderRateLimitGuard)
      @RateLimit({ limit: 2, per: '1h', key: () => 'all', refundIf: (status) => status >= 500 })
      find(@Param('status') status: string) {
        if (status === '500') throw new Error('a fault')
        return {}
      }
    }
    const { get, app } = await startApp(
      { imports: [LarderModule.forRoot(inProcess())], controllers: [Refund] },
      { platform },
    )
    const limiter = app
      .get<CacheManager>(CACHES)
      .limiter({ name: 'Refund.find', limit: 2, per: '1h' })
    for (let i = 0; i < 4; i++) {
      expect((await get('/refund/500')).status).toBe(500)
      await expect.poll(async () => (await limiter.peek('all')).remaining).toBe(2)
    }
    expect([(await get('/refund/200')).status, (await get('/refund/200')).status]).toEqual([
      200, 200,
    ])
    expect((await get('/refund/200')).status).toBe(429)
  })

  it('where it is unknown whether the limit is used up, the answer is 503 and not 429', async () => {
    const server = await startRedis()
    const { get } = await startApp(
      {
        imports: [
          LarderModule.forRoot({
            namespace: freshNamespace(),
            remote: redisStore({ url: server.url }),
            logger: false,
          }),
        ],
        controllers: [Shop],
      },
      { platform },
    )
    expect((await get('/shop/address')).status).toBe(200)
    await server.stop()
    const unknown = await get('/shop/address')
    expect(unknown.status).toBe(503)
    expect(unknown.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(unknown.body).toMatchObject({ status: 503 })
    expect(unknown.body['type']).toMatch(/temporary-reduced-capacity$/)
  })
})

it('two applications count apart, also in one process with one namespace and Redis for neither', async () => {
  const start = () =>
    startApp({ imports: [LarderModule.forRoot(inProcess())], controllers: [Shop] })
  const [one, two] = [await start(), await start()]
  for (const { get } of [one, two]) {
    const all = [await get('/shop/address'), await get('/shop/address'), await get('/shop/address')]
    expect(all.map(({ status }) => status)).toEqual([200, 200, 429])
  }
})

it('another manager in place of the usual one is counted by', async () => {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    limits: localLimits(),
    default: false,
  })
  const { get } = await startApp(
    { imports: [LarderModule.forRoot(inProcess())], controllers: [Shop] },
    { override: (builder) => builder.overrideProvider(CACHES).useValue(caches) },
  )
  await get('/shop/fails')
  const limiter = caches.limiter({ name: 'Shop.fails', limit: 2, per: '1h' })
  expect((await limiter.peek('all')).remaining).toBe(1)
  await caches.close()
})

it('a service may inject what the guard counts by', async () => {
  @Injectable()
  class Unblocks {
    constructor(@Inject(CACHES) readonly caches: CacheManager) {}

    async reset(): Promise<void> {
      await this.caches.limiter({ name: 'Shop.fails', limit: 2, per: '1h' }).reset('all')
    }
  }
  const { get, app } = await startApp({
    imports: [LarderModule.forRoot(inProcess())],
    controllers: [Shop],
    providers: [Unblocks],
  })
  for (const status of [500, 500, 429]) expect((await get('/shop/fails')).status).toBe(status)
  await app.get(Unblocks).reset()
  expect((await get('/shop/fails')).status).toBe(500)
})
