/** Which manager decorated methods of providers use: that of their application, however the provider is made. */

import {
  Cacheable,
  CacheConfig,
  type CacheManager,
  type CacheManagerOptions,
  createCacheManager,
  currentLock,
  RateLimited,
  WithLock,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { CACHES, LarderModule } from '@larder/nest'
import {
  type CanActivate,
  Controller,
  Get,
  Inject,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestMiddleware,
  type NestModule,
  Param,
  Scope,
  UseGuards,
} from '@nestjs/common'
import { LazyModuleLoader } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { expect, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { PLATFORMS, startApp } from './support/apps.ts'

const options = (): CacheManagerOptions => ({ namespace: freshNamespace(), local: lruStore() })

interface Row {
  readonly id: string
  readonly from: string
}

abstract class BaseRepository<T extends Row> {
  loads = 0

  protected abstract make(id: string): T

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<T> {
    this.loads += 1
    return this.make(id)
  }

  @WithLock({ key: (id: string) => id })
  async locked(id: string): Promise<string> {
    return `${id} ${currentLock().keys}`
  }

  @RateLimited({ limit: 1, per: '1h' })
  async limited(): Promise<string> {
    return 'passed'
  }
}

@Injectable()
@CacheConfig({ cache: 'users' })
class Users extends BaseRepository<Row> {
  protected make(id: string): Row {
    return { id, from: 'users' }
  }
}

@Injectable()
@CacheConfig({ cache: 'invoices' })
class Invoices extends BaseRepository<Row> {
  protected make(id: string): Row {
    return { id, from: 'invoices' }
  }
}

@Injectable({ scope: Scope.REQUEST })
@CacheConfig({ cache: 'requests' })
class PerRequest extends Users {
  static made = 0

  constructor() {
    super()
    PerRequest.made += 1
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class PerUser extends Invoices {}

@Injectable()
class Usual {
  constructor(
    @Inject(Users) readonly users: Users,
    @Inject(PerUser) readonly transient: PerUser,
    @Inject('made') readonly made: Users,
    @Inject('given') readonly given: Users,
  ) {}
}

@Controller('rows')
class Rows {
  loads = 0

  constructor(@Inject(PerRequest) readonly perRequest: PerRequest) {}

  @Get('users/:id')
  async user(@Param('id') id: string): Promise<Row> {
    return this.perRequest.find(id)
  }
}

@Controller('own')
class OwnRoute {
  loads = 0

  @Get(':id')
  @Cacheable({ key: (id: string) => id, cache: 'routes' })
  async find(@Param('id') id: string): Promise<object> {
    this.loads += 1
    return { id, loads: this.loads }
  }
}

const parts = () => ({
  imports: [LarderModule.forRoot(options())],
  controllers: [Rows, OwnRoute],
  providers: [
    Users,
    Invoices,
    PerRequest,
    PerUser,
    Usual,
    { provide: 'made', useFactory: async () => new Users() },
    { provide: 'given', useValue: new Users() },
  ],
})

const rows = (caches: CacheManager, name: string, id = '1') => caches.cache(name).get(id)

it('a generic base repository keeps the rows of each class apart', async () => {
  const { app } = await startApp(parts())
  const caches = app.get<CacheManager>(CACHES)
  const [users, invoices] = [app.get(Users), app.get(Invoices)]
  for (let i = 0; i < 2; i++) {
    expect(await users.find('1')).toEqual({ id: '1', from: 'users' })
    expect(await invoices.find('1')).toEqual({ id: '1', from: 'invoices' })
  }
  expect([users.loads, invoices.loads]).toEqual([1, 1])
  expect(await rows(caches, 'users')).toEqual({ id: '1', from: 'users' })
  expect(await rows(caches, 'invoices')).toEqual({ id: '1', from: 'invoices' })
})

it.each(PLATFORMS)(
  'two applications at once use their own manager, on %s, with all kinds of providers',
  async (platform) => {
    const outside = createCacheManager(options())
    onTestFinished(() => outside.close())
    const apps = [
      await startApp(parts(), { platform }),
      await startApp(parts(), { platform }),
    ] as const
    const managers = apps.map(({ app }) => app.get<CacheManager>(CACHES))
    expect(managers[0]).not.toBe(managers[1])
    // In turn, and back: what one call finds must not be what the next one uses.
    for (let round = 0; round < 2; round++) {
      for (const [i, { app, get }] of apps.entries()) {
        const usual = app.get(Usual)
        const id = `${i}`
        await usual.users.find(`static-${id}`)
        await usual.transient.find(`transient-${id}`)
        await usual.made.find(`made-${id}`)
        expect((await get(`/rows/users/request-${id}`)).status).toBe(200)
        expect((await get(`/own/${id}`)).body).toEqual({ id, loads: 1 })
        expect(await usual.users.locked('x')).toBe('x x')
      }
    }
    for (const [i, caches] of managers.entries()) {
      const [id, other] = [`${i}`, `${1 - i}`]
      for (const [cache, key] of [
        ['users', 'static-'],
        ['invoices', 'transient-'],
        ['users', 'made-'],
        ['requests', 'request-'],
        ['routes', ''],
      ] as const) {
        expect(await rows(caches, cache, key + id), `${cache} ${key}`).toBeDefined()
        expect(await rows(caches, cache, key + other), `${cache} ${key}`).toBeUndefined()
        expect(await rows(outside, cache, key + id), `${cache} ${key}`).toBeUndefined()
      }
    }
    // Limits, too, are those of each application.
    for (const { app } of apps) expect(await app.get(Users).limited()).toBe('passed')
    await expect(apps[0].app.get(Users).limited()).rejects.toMatchObject({
      code: 'LARDER_RATE_LIMITED',
    })
  },
)

it('two applications in turn, of the same classes', async () => {
  for (let i = 0; i < 3; i++) {
    const { app } = await startApp(parts())
    expect(await app.get(Users).find('1')).toEqual({ id: '1', from: 'users' })
    expect(app.get(Users).loads).toBe(1)
    await app.close()
  }
})

it('a request-scoped provider is made for each request, and shares what is cached', async () => {
  const { get } = await startApp(parts())
  const before = PerRequest.made
  for (let i = 0; i < 3; i++)
    expect((await get('/rows/users/7')).body).toEqual({ id: '7', from: 'users' })
  expect(PerRequest.made - before).toBe(3)
})

it('what is resolved later, and from another module, is of the application, too', async () => {
  const outside = createCacheManager(options())
  onTestFinished(() => outside.close())

  @Injectable()
  class Hooks {
    constructor(@Inject(Users) readonly users: Users) {}

    async onModuleInit(): Promise<void> {
      await this.users.find('init')
    }
  }

  @Module({ providers: [Hooks, Users] })
  class Deep {}

  @Module({ imports: [Deep] })
  class Middle {}

  const { app } = await startApp({
    imports: [Middle, LarderModule.forRoot({ ...options(), default: false })],
    providers: [PerUser, PerRequest],
  })
  const caches = app.get<CacheManager>(CACHES)
  expect(await rows(caches, 'users', 'init')).toBeDefined()
  await (await app.resolve(PerUser)).find('resolved')
  expect(await rows(caches, 'invoices', 'resolved')).toBeDefined()
  await (await app.resolve(PerRequest)).find('resolved')
  expect(await rows(caches, 'requests', 'resolved')).toBeDefined()
  expect(await rows(outside, 'users', 'init')).toBeUndefined()
})

it('a module that waits for its options binds what was made meanwhile', async () => {
  let answer: (options: CacheManagerOptions) => void = () => undefined
  const said = new Promise<CacheManagerOptions>((resolve) => {
    answer = resolve
  })
  const compiling = Test.createTestingModule({
    imports: [LarderModule.forRootAsync({ useFactory: () => said })],
    providers: [Users, { provide: 'later', inject: [CACHES], useFactory: () => new Invoices() }],
  }).compile()
  answer({ ...options(), default: false })
  const app = await compiling
  onTestFinished(() => app.close())
  const caches = app.get<CacheManager>(CACHES)
  await app.get(Users).find('1')
  await app.get<Invoices>('later').find('1')
  expect(await rows(caches, 'users')).toBeDefined()
  expect(await rows(caches, 'invoices')).toBeDefined()
})

it('providers stay what they are: class, prototype chain, own properties', async () => {
  const { app } = await startApp(parts())
  const users = app.get(Users)
  expect(users).toBeInstanceOf(Users)
  expect(users.constructor).toBe(Users)
  expect(Object.getOwnPropertyNames(users)).toEqual(['loads'])
  expect(users).toStrictEqual(new Users())
})

it('a provider that two applications share stays with the first, and the second says so', async () => {
  const shared = new Users()
  const providers = [{ provide: Users, useValue: shared }]
  const first = await startApp({ imports: [LarderModule.forRoot(options())], providers })
  const lines: string[] = []
  const second = await startApp(
    { imports: [LarderModule.forRoot(options())], providers },
    {
      override: (builder) =>
        builder.setLogger({
          log: () => undefined,
          error: () => undefined,
          warn: (line: string) => lines.push(line),
        }),
    },
  )
  await second.app.get(Users).find('1')
  expect(await rows(first.app.get(CACHES), 'users')).toBeDefined()
  expect(lines.join('\n')).toMatch(/Decorated methods of a Users do not use .*another manager/)
  await first.app.close()
  const third = await startApp({ imports: [LarderModule.forRoot(options())], providers })
  await third.app.get(Users).find('2')
  expect(await rows(third.app.get(CACHES), 'users', '2')).toBeDefined()
})

it('class middleware, guards and interceptors are bound as well', async () => {
  const outside = createCacheManager(options())
  onTestFinished(() => outside.close())

  @Injectable()
  @CacheConfig({ cache: 'middleware' })
  class Counts extends BaseRepository<Row> implements NestMiddleware {
    protected make(id: string): Row {
      return { id, from: 'middleware' }
    }

    async use(_: unknown, __: unknown, next: () => void): Promise<void> {
      await this.find('1')
      next()
    }
  }

  @Injectable()
  @CacheConfig({ cache: 'guards' })
  class Allows extends BaseRepository<Row> implements CanActivate {
    protected make(id: string): Row {
      return { id, from: 'guard' }
    }

    async canActivate(): Promise<boolean> {
      return (await this.find('1')) !== undefined
    }
  }

  @Controller('counted')
  @UseGuards(Allows)
  class Counted {
    @Get()
    get() {
      return {}
    }
  }

  @Module({
    imports: [LarderModule.forRoot({ ...options(), default: false })],
    controllers: [Counted],
  })
  class App implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer.apply(Counts).forRoutes(Counted)
    }
  }
  const { app, get } = await startApp(App)
  expect((await get('/counted')).status).toBe(200)
  const caches = app.get<CacheManager>(CACHES)
  for (const name of ['middleware', 'guards']) {
    expect(await rows(caches, name), name).toBeDefined()
    expect(await rows(outside, name), name).toBeUndefined()
  }
})

it('a provider that throws at every question is left alone', async () => {
  const angry = new Proxy(new Users(), {
    getPrototypeOf() {
      throw new Error('not now')
    },
  })
  const { app } = await startApp({
    imports: [LarderModule.forRoot(options())],
    providers: [{ provide: 'angry', useFactory: () => angry }],
  })
  expect(app.get('angry')).toBe(angry)
})

it('a module that is loaded lazily uses the default manager', async () => {
  @Injectable()
  class Lazy extends Users {}

  @Module({ providers: [Lazy], exports: [Lazy] })
  class LazyModule {}

  const { app } = await startApp({ imports: [LarderModule.forRoot(options())] })
  const module = await app.get(LazyModuleLoader).load(() => LazyModule)
  const lazy = module.get(Lazy)
  await lazy.find('1')
  expect(await rows(app.get(CACHES), 'users')).toBeDefined()
})
