/** Errors of decorated methods that a handler lets through, as answers. */

import { type CacheManager, RateLimited, RateLimitedError, WithLock } from '@larder/core'
import { localLocks, lruStore } from '@larder/local-store'
import { CACHES, LarderExceptionFilter, LarderModule, ProblemException } from '@larder/nest'
import { redisLocks, redisStore } from '@larder/redis-store'
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  Inject,
  Injectable,
  UseFilters,
} from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import { describe, expect, it } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { freePort, PLATFORMS, startApp } from './support/apps.ts'

@Injectable()
class Till {
  @RateLimited({ limit: 1, per: '1h' })
  async limited(): Promise<string> {
    return 'passed'
  }

  @RateLimited({ policies: [{ name: 'daily', limit: 0, per: '1d' }] })
  async never(): Promise<string> {
    return 'passed'
  }

  @RateLimited({ limit: 1, per: '1h', onStoreError: 'closed' })
  async closed(): Promise<string> {
    return 'passed'
  }

  @WithLock({ key: () => 'till', wait: 0 })
  async locked(): Promise<string> {
    return 'passed'
  }

  async fails(): Promise<string> {
    throw new Error('a fault of the program')
  }
}

@Controller('till')
class TillController {
  constructor(@Inject(Till) readonly till: Till) {}

  @Get('limited')
  limited() {
    return this.till.limited()
  }

  @Get('never')
  never() {
    return this.till.never()
  }

  @Get('closed')
  closed() {
    return this.till.closed()
  }

  @Get('locked')
  locked() {
    return this.till.locked()
  }

  @Get('fails')
  fails() {
    return this.till.fails()
  }
}

const parts = (more: object = {}) => ({
  imports: [
    LarderModule.forRoot({
      namespace: freshNamespace(),
      local: lruStore(),
      logger: false,
      ...more,
    }),
  ],
  controllers: [TillController],
  providers: [Till],
})

describe.each(PLATFORMS)('on %s', (platform) => {
  it('a used-up limit is 429, with a problem document and the time to come back', async () => {
    const { get } = await startApp(parts(), { platform })
    expect((await get('/till/limited')).text).toBe('passed')
    const refused = await get('/till/limited')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000)
    expect(refused.body).toMatchObject({ status: 429, 'violated-policies': [] })
    const never = await get('/till/never')
    expect(never.status).toBe(429)
    expect(never.headers.get('retry-after')).toBeNull()
    expect(never.body).toMatchObject({ 'violated-policies': ['daily'] })
  })

  it('a lock that stays held is 409, and the next request is served', async () => {
    const { get, app } = await startApp(parts({ locks: localLocks() }), { platform })
    const lock = await app.get<CacheManager>(CACHES).locks.acquire('till')
    const busy = await get('/till/locked')
    expect(busy.status).toBe(409)
    expect(busy.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    await lock.release()
    expect((await get('/till/locked')).text).toBe('passed')
  })

  it('what cannot be decided is 503, and names no store', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`
    const { get } = await startApp(
      parts({ remote: redisStore({ url }), locks: redisLocks({ url }) }),
      { platform },
    )
    for (const path of ['/till/closed', '/till/locked']) {
      const unknown = await get(path)
      expect(unknown.status, path).toBe(503)
      expect(unknown.text).not.toMatch(/127\.0\.0\.1|redis|till/)
    }
  })

  it('other errors are answered as ever', async () => {
    const { get } = await startApp(parts(), { platform })
    const failed = await get('/till/fails')
    expect(failed.status).toBe(500)
    expect(failed.headers.get('content-type')).toMatch(/^application\/json/)
  })

  it("a filter of the application's own comes first where it catches the error", async () => {
    @Catch(RateLimitedError)
    class Own implements ExceptionFilter {
      catch(error: RateLimitedError, host: ArgumentsHost): void {
        const response = host.switchToHttp().getResponse<{
          status(code: number): { send(body: unknown): void }
        }>()
        response.status(418).send({ own: error.limit })
      }
    }
    const { get } = await startApp(
      { ...parts(), providers: [Till, { provide: APP_FILTER, useClass: Own }] },
      { platform },
    )
    await get('/till/limited')
    const refused = await get('/till/limited')
    expect([refused.status, refused.text]).toEqual([418, '{"own":1}'])
  })
})

it('filter: false leaves errors to the application', async () => {
  const namespace = freshNamespace()
  const { get } = await startApp({
    imports: [LarderModule.forRoot({ namespace, local: lruStore(), filter: false })],
    controllers: [TillController],
    providers: [Till],
  })
  await get('/till/limited')
  expect((await get('/till/limited')).status).toBe(500)
})

it('without the filter of the application, one controller may use it', async () => {
  @Controller('own')
  @UseFilters(LarderExceptionFilter)
  class Filtered {
    constructor(@Inject(Till) readonly till: Till) {}

    @Get()
    limited() {
      return this.till.never()
    }
  }
  const { get } = await startApp({
    imports: [
      LarderModule.forRoot({ namespace: freshNamespace(), local: lruStore(), filter: false }),
    ],
    controllers: [Filtered],
    providers: [Till],
  })
  expect((await get('/own')).status).toBe(429)
})

it('what is thrown for a refusal is an HttpException with the problem as its response', () => {
  const problem = { type: 'about:blank', title: 'Too Many Requests', status: 429 }
  const exception = new ProblemException(problem)
  expect(exception).toBeInstanceOf(HttpException)
  expect(exception.getStatus()).toBe(429)
  expect(exception.getResponse()).toEqual(problem)
  expect(exception.message).toBe('Too Many Requests')
})
