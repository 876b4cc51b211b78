/** Requests under a limit, on real servers of every framework: what is counted, what is answered, and what responses say. */

import { describe, expect, it } from 'vitest'
import { as, ask, type Member } from './support/client.ts'
import type { AnyLimit, AnyRequest } from './support/frameworks.ts'
import { FRAMEWORKS } from './support/frameworks.ts'
import { PATIENT, STORES } from './support/stores.ts'

const byUser = (request: AnyRequest): string => `user:${request.header('x-user') ?? 'nobody'}`
const PROBLEM = 'https://iana.org/assignments/http-problem-types#'

describe.each(FRAMEWORKS)('$name', (framework) => {
  describe.each(STORES)('%s', (_, start) => {
    it('serves what is within the limit, refuses what is above, and says so in fields and a problem document', async () => {
      const limiter = start().limiter({ ...PATIENT, name: 'api', limit: 2, per: '1h' })
      const { url, handler } = await framework.start({ limiter, key: byUser })
      const first = await ask(`${url}/ok`, as('a'))
      expect(first).toMatchObject({ status: 200, body: 'ok' })
      expect(first.policies).toEqual([{ name: 'api', q: 2, w: 3_600 }])
      expect(first.limits).toEqual([{ name: 'api', r: 1, t: 3_600 }])
      await ask(`${url}/ok`, as('a'))
      const third = await ask(`${url}/ok`, as('a'))
      expect(third.status).toBe(429)
      expect(third.headers.get('content-type')).toBe('application/problem+json')
      expect(JSON.parse(third.body)).toEqual({
        type: `${PROBLEM}quota-exceeded`,
        title: expect.any(String),
        status: 429,
        'violated-policies': ['api'],
      })
      expect(third.policies).toEqual([{ name: 'api', q: 2, w: 3_600 }])
      expect(third.limits).toEqual([{ name: 'api', r: 0, t: expect.any(Number) }])
      expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(3_000)
      expect(handler.served).toEqual(['/ok', '/ok'])
      expect((await ask(`${url}/ok`, as('b'))).status).toBe(200)
    })

    it('R1, R4: never serves more than the limit, however many come at once, and refusals cost nothing', async () => {
      const limiter = start().limiter({ ...PATIENT, limit: 7, per: '1h' })
      const { url } = await framework.start({ limiter, key: byUser })
      const answers = await Promise.all(Array.from({ length: 30 }, () => ask(`${url}/ok`, as('a'))))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(7)
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(23)
      expect(await limiter.reward('user:a', 1_000)).toBe(7)
    })

    it('R5: several limiters decide together: what one refuses, none has counted', async () => {
      const caches = start()
      const wide = caches.limiter({ ...PATIENT, name: 'all', limit: 10, per: '1h' })
      const narrow = caches.limiter({ ...PATIENT, name: 'each', limit: 2, per: '1h' })
      const { url } = await framework.start({
        limits: [
          { limiter: wide, key: () => 'everybody' },
          { limiter: narrow, key: byUser },
        ],
      })
      const first = await ask(`${url}/ok`, as('a'))
      expect(first.policies.map(({ name, q }) => [name, q])).toEqual([
        ['all', 10],
        ['each', 2],
      ])
      expect(first.limits.map(({ name, r }) => [name, r])).toEqual([
        ['all', 9],
        ['each', 1],
      ])
      for (let i = 0; i < 5; i++) await ask(`${url}/ok`, as('a'))
      const refused = await ask(`${url}/ok`, as('a'))
      expect(refused.status).toBe(429)
      expect(JSON.parse(refused.body)['violated-policies']).toEqual(['each'])
      expect(refused.policies.map(({ name }) => name)).toEqual(['all', 'each'])
      expect(refused.limits.map(({ name }) => name)).toEqual(['each'])
      expect((await wide.peek('everybody', 0)).remaining).toBe(8)
    })

    it('policies of one limiter are members of the fields', async () => {
      const limiter = start().limiter({
        ...PATIENT,
        name: 'api',
        policies: [
          { name: 'burst', limit: 5, per: '10m' },
          { name: 'daily', limit: 100, per: 'day' },
          { name: 'at-once', limit: 3, algorithm: 'concurrency' },
        ],
      })
      const { url } = await framework.start({ limiter, key: byUser })
      const { policies, limits } = await ask(`${url}/ok`, as('a'))
      expect(policies).toEqual([
        { name: 'burst', q: 5, w: 600 },
        { name: 'daily', q: 100 },
        { name: 'at-once', q: 3, qu: 'concurrent-requests' },
      ])
      expect(limits.map(({ name, r }) => [name, r])).toEqual([
        ['burst', 4],
        ['daily', 99],
        ['at-once', 2],
      ])
      expect(limits.map(({ t }) => t === undefined)).toEqual([false, false, true])
    })
  })
})

describe.each(FRAMEWORKS)('$name', (framework) => {
  const start = (options: Partial<AnyLimit> = {}, rule: object = {}) => {
    const caches = (STORES[0] as (typeof STORES)[number])[1]()
    const limiter = caches.limiter({ name: 'api', limit: 3, per: '1h', ...rule } as never)
    return {
      caches,
      limiter,
      running: framework.start({ limiter, key: byUser, ...options } as AnyLimit),
    }
  }

  it.each(['HEAD', 'OPTIONS', 'POST', 'DELETE'])('counts %s', async (method) => {
    const { running, limiter } = start()
    const { url } = await running
    const { limits } = await ask(`${url}/ok`, { method, ...as('a') })
    expect(limits[0]).toMatchObject({ name: 'api', r: 2 })
    expect((await limiter.peek('user:a', 0)).remaining).toBe(2)
  })

  it('refuses HEAD without a body', async () => {
    const { running } = start({}, { limit: 1 })
    const { url } = await running
    await ask(`${url}/ok`, { method: 'HEAD', ...as('a') })
    const refused = await ask(`${url}/ok`, { method: 'HEAD', ...as('a') })
    expect(refused).toMatchObject({ status: 429, body: '' })
    expect(refused.limits[0]).toMatchObject({ r: 0 })
  })

  it('counts what no route answers, and keeps the fields there', async () => {
    const { running } = start()
    const { url } = await running
    for (const r of [2, 1, 0]) {
      const answer = await ask(`${url}/nothing/${r}`, as('a'))
      expect(answer.status).toBe(404)
      expect(answer.limits[0]).toMatchObject({ r })
    }
    expect((await ask(`${url}/nothing/more`, as('a'))).status).toBe(429)
  })

  it('keeps the fields when a handler throws', async () => {
    const { running } = start()
    const { url } = await running
    const answer = await ask(`${url}/throw`, as('a'))
    expect(answer.status).toBe(500)
    expect(answer.limits[0]).toMatchObject({ name: 'api', r: 2 })
    expect(answer.policies[0]).toMatchObject({ name: 'api', q: 3 })
  })

  it('two limits on a path append to one field, under names of their own', async () => {
    const caches = (STORES[0] as (typeof STORES)[number])[1]()
    const limit = (limit: number) => ({
      limiter: caches.limiter({ limit, per: '1h' }),
      key: byUser,
      legacy: true,
    })
    const { url } = await framework.start(limit(5), limit(2), limit(9))
    const { policies, limits, headers } = await ask(`${url}/ok`, as('a'))
    expect(policies.map(({ q }) => q).toSorted()).toEqual([2, 5, 9])
    expect(limits.map(({ r }) => r).toSorted()).toEqual([1, 4, 8])
    expect(new Set(limits.map(({ name }) => name)).size).toBe(3)
    expect(limits.map(({ name }) => name)).toEqual(policies.map(({ name }) => name))
    expect(headers.get('x-ratelimit-limit')).toBe('2')
    expect(headers.get('x-ratelimit-remaining')).toBe('1')
    await ask(`${url}/ok`, as('a'))
    // `ask` checks that Retry-After is not before the end of any window.
    const refused = await ask(`${url}/ok`, as('a'))
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0')
  })

  it('a refused request that comes back later than the other limit resets keeps all members', async () => {
    const caches = (STORES[0] as (typeof STORES)[number])[1]()
    const slow = caches.limiter({ name: 'slow', limit: 9, per: '1h' })
    const quick = caches.limiter({ name: 'quick', limit: 1, per: '10m' })
    const { url } = await framework.start(
      { limiter: slow, key: byUser },
      { limiter: quick, key: byUser },
    )
    await ask(`${url}/ok`, as('a'))
    const refused = await ask(`${url}/ok`, as('a'))
    expect(refused.status).toBe(429)
    expect(refused.limits.map(({ name }) => name).toSorted()).toContain('quick')
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(600)
  })

  it('skips, prices and gives back as it is told', async () => {
    const { running, limiter } = start(
      {
        skip: ({ path }: AnyRequest) => path.startsWith('/status/204'),
        cost: (request: AnyRequest) => Number(request.header('x-cost') ?? 1),
        refundIf: (status: number) => status >= 500,
      } as Partial<AnyLimit>,
      { limit: 10 },
    )
    const { url } = await running
    const left = async (): Promise<number> => (await limiter.peek('user:a', 0)).remaining
    const skipped = await ask(`${url}/status/204`, as('a'))
    expect(skipped.limits).toEqual([])
    expect(await left()).toBe(10)
    const paid = await ask(`${url}/ok`, { headers: { 'x-user': 'a', 'x-cost': '4' } })
    expect(paid.limits[0]).toMatchObject({ r: 6 })
    await ask(`${url}/status/503`, as('a'))
    await expect.poll(left).toBe(6)
    await ask(`${url}/status/404`, as('a'))
    expect(await left()).toBe(5)
  })

  it('a refundIf that fails is reported, and the request stays counted', async () => {
    const { caches, running, limiter } = start({
      refundIf: async (status: number) => {
        if (status === 500) throw new Error('no idea')
        return true
      },
    })
    const failures: unknown[] = []
    caches.on('background-error', ({ error }) => failures.push((error as Error).message))
    const { url } = await running
    await ask(`${url}/status/500`, as('a'))
    await expect.poll(() => failures).toEqual(['no idea'])
    expect((await limiter.peek('user:a', 0)).remaining).toBe(2)
    await ask(`${url}/ok`, as('a'))
    await expect.poll(async () => (await limiter.peek('user:a', 0)).remaining).toBe(2)
  })

  it('a problem that cannot be written is an error of the application', async () => {
    const { running } = start({ problem: () => ({ big: 1n }) }, { limit: 1 })
    const { url } = await running
    await ask(`${url}/ok`, as('a'))
    expect((await ask(`${url}/ok`, as('a'))).status).toBe(500)
  })

  it('a cost that a client causes and no limit can admit is refused, and not an error', async () => {
    const { running } = start({
      cost: (request: AnyRequest) => Number(request.header('x-cost')),
    } as Partial<AnyLimit>)
    const { url } = await running
    const answer = await ask(`${url}/ok`, { headers: { 'x-user': 'a', 'x-cost': '4' } })
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after')).toBeNull()
    expect(answer.limits).toEqual([{ name: 'api', r: 3 }])
    const wrong = await ask(`${url}/ok`, { headers: { 'x-user': 'a', 'x-cost': '-1' } })
    expect(wrong.status).toBe(500)
  })

  it('a blocked client is told of abnormal usage', async () => {
    const { running, limiter } = start()
    const { url } = await running
    await limiter.block('user:a', '15m')
    const answer = await ask(`${url}/ok`, as('a'))
    expect(answer.status).toBe(429)
    expect(JSON.parse(answer.body).type).toBe(`${PROBLEM}abnormal-usage-detected`)
    expect(answer.limits[0]).toMatchObject({ r: 0 })
    expect(answer.headers.get('retry-after')).toBe('900')
  })

  it('sends the problem document that it is given, and the fields that it is asked for', async () => {
    const { running } = start(
      {
        problem: (problem, request) => ({ ...problem, instance: request.path }),
        legacy: true,
        partitionKey: (request) => request.header('x-user'),
        draft: 10,
      },
      { limit: 1 },
    )
    const { url } = await running
    const first = await ask(`${url}/ok`, as('a'))
    expect(first.headers.get('x-ratelimit-limit')).toBe('1')
    expect(Buffer.from(first.limits[0]?.['pk'] as ArrayBuffer).toString()).toBe('a')
    const refused = await ask(`${url}/ok`, as('a'))
    expect(JSON.parse(refused.body)).toMatchObject({ status: 429, instance: '/ok' })
  })

  it('a partition key that a client makes long does not make the fields long', async () => {
    const { running } = start({ partitionKey: (request) => request.header('x-user') })
    const { url } = await running
    const long = await ask(`${url}/ok`, as('u'.repeat(10_000)))
    expect(long.status).toBe(200)
    const keyOf = ({ pk }: Member): Buffer => Buffer.from(pk as ArrayBuffer)
    for (const member of [...long.policies, ...long.limits]) expect(keyOf(member)).toHaveLength(32)
    const other = await ask(`${url}/ok`, as(`${'u'.repeat(9_999)}v`))
    expect(other.limits.map(keyOf)).not.toEqual(long.limits.map(keyOf))
  })

  it('a key that throws, or is none, is a fault of the application, and is not counted together', async () => {
    const { running, limiter } = start({
      key: (request: AnyRequest) => {
        if (request.path === '/ok') throw new Error('no session')
        return undefined as never
      },
    } as Partial<AnyLimit>)
    const { url, handler } = await running
    expect((await ask(`${url}/ok`)).status).toBe(500)
    expect((await ask(`${url}/status/200`)).status).toBe(500)
    expect(handler.served).toEqual([])
    expect((await limiter.peek('undefined', 0)).remaining).toBe(3)
  })

  it('a dry run refuses nobody', async () => {
    const { running } = start({}, { limit: 1, dryRun: true })
    const { url } = await running
    await ask(`${url}/ok`, as('a'))
    expect((await ask(`${url}/ok`, as('a'))).status).toBe(200)
  })

  it('says nothing where the limiter is switched off', async () => {
    const { running } = start({ legacy: true }, { enabled: () => false })
    const { url } = await running
    const { status, limits, policies, headers } = await ask(`${url}/ok`, as('a'))
    expect({ status, limits, policies }).toEqual({ status: 200, limits: [], policies: [] })
    expect(headers.get('x-ratelimit-limit')).toBeNull()
  })

  it('two limits share what they count by the name of their limiter', async () => {
    const caches = (STORES[0] as (typeof STORES)[number])[1]()
    const make = () => caches.limiter({ name: 'shared', limit: 3, per: '1h' })
    const one = await framework.start({ limiter: make(), key: byUser })
    const other = await framework.start({ limiter: make(), key: byUser })
    await ask(`${one.url}/ok`, as('a'))
    expect((await ask(`${other.url}/ok`, as('a'))).limits[0]).toMatchObject({ r: 1 })
  })
})
