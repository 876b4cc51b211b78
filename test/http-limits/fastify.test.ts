/** The plugin of Fastify: limits of routes and of all requests, hooks, parts of an application, and what is counted apart. */

import { connect } from 'node:http2'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { larder } from '@larder/plugins/fastify'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { membersOf } from './support/client.ts'
import { startLocal } from './support/stores.ts'

const LIMIT = { limit: 2, per: '1h' } as const
const config = (rateLimit: object | false) => ({ config: { larder: { rateLimit } as never } })

function makeApp(): FastifyInstance {
  const app = fastify()
  onTestFinished(() => app.close())
  return app
}

async function statuses(app: FastifyInstance, url: string, times = 3, method = 'GET') {
  const codes: number[] = []
  for (let i = 0; i < times; i++)
    codes.push((await app.inject({ url, method: method as 'GET' })).statusCode)
  return codes
}

describe('limits of routes', () => {
  it('are made from options, each route counted apart', async () => {
    const app = makeApp()
    await app.register(larder, { caches: startLocal() })
    for (const url of ['/a', '/b']) app.get(url, config(LIMIT), () => 'ok')
    app.get('/free', () => 'ok')
    expect(await statuses(app, '/a')).toEqual([200, 200, 429])
    expect(await statuses(app, '/b')).toEqual([200, 200, 429])
    expect(await statuses(app, '/free')).toEqual([200, 200, 200])
  })

  it('are counted together under one name, also by applications of one namespace', async () => {
    const caches = startLocal()
    const apps = [makeApp(), makeApp()] as const
    for (const app of apps) {
      await app.register(larder, { caches })
      app.get('/a', config({ ...LIMIT, name: 'shared' }), () => 'ok')
    }
    expect(await statuses(apps[0], '/a', 1)).toEqual([200])
    expect(await statuses(apps[1], '/a', 2)).toEqual([200, 429])
  })

  it('are the same in all processes without a name', async () => {
    const namespace = freshNamespace()
    const start = (): CacheManager => {
      const caches = createCacheManager({ namespace, local: lruStore(), default: false })
      onTestFinished(() => caches.close())
      return caches
    }
    const [one, other] = [makeApp(), makeApp()]
    for (const app of [one, other]) {
      await app.register(larder, { caches: start() })
      app.get('/users/:id', config(LIMIT), () => 'ok')
    }
    expect(await statuses(one, '/users/1', 2)).toEqual([200, 200])
    expect(await statuses(other, '/users/2', 1)).toEqual([429])
  })

  it('count GET and its HEAD together, and other methods apart', async () => {
    const app = makeApp()
    await app.register(larder, { caches: startLocal() })
    app.get('/a', config(LIMIT), () => 'ok')
    app.post('/a', config(LIMIT), () => 'ok')
    expect(await statuses(app, '/a', 1)).toEqual([200])
    expect(await statuses(app, '/a', 2, 'HEAD')).toEqual([200, 429])
    expect(await statuses(app, '/a', 1, 'POST')).toEqual([200])
  })

  it('stand beside the limit of all requests, in one decision', async () => {
    const caches = startLocal()
    const all = caches.limiter({ name: 'all', limit: 5, per: '1h' })
    const app = makeApp()
    await app.register(larder, { caches, rateLimit: { limiter: all, key: () => 'all' } })
    app.get('/a', config({ ...LIMIT, name: 'a' }), () => 'ok')
    app.get('/alone', config({ ...LIMIT, global: false }), () => 'ok')
    app.get('/none', config(false), () => 'ok')
    const first = await app.inject('/a')
    const names = (field: string) => membersOf(String(first.headers[field])).map(({ name }) => name)
    expect(names('ratelimit')).toEqual(['all', 'a'])
    expect(names('ratelimit-policy')).toEqual(['all', 'a'])
    expect(await statuses(app, '/a', 4)).toEqual([200, 429, 429, 429])
    expect((await all.peek('all', 0)).remaining).toBe(3)
    expect(await statuses(app, '/alone')).toEqual([200, 200, 429])
    expect(await statuses(app, '/none', 9)).toEqual(Array(9).fill(200))
    expect((await all.peek('all', 0)).remaining).toBe(3)
  })

  it('may wait for the user that another plugin finds', async () => {
    const app = makeApp()
    await app.register(larder, { caches: startLocal() })
    app.decorateRequest('user', '')
    app.addHook('preHandler', async (request) => {
      ;(request as { user?: unknown }).user = request.headers['x-user']
    })
    const key = (request: FastifyRequest): string => {
      const { user } = request as { user?: string }
      return `user:${user}`
    }
    app.register(async (part) => {
      part.get('/late', config({ ...LIMIT, hook: 'preHandler', key, name: 'late' }), () => 'ok')
    })
    const ask = async (user: string) =>
      (await app.inject({ url: '/late', headers: { 'x-user': user } })).statusCode
    expect([await ask('a'), await ask('a'), await ask('a'), await ask('b')]).toEqual([
      200, 200, 429, 200,
    ])
  })

  it('are not skipped where a route was registered before the plugin had loaded', async () => {
    const app = makeApp()
    app.register(larder, {
      caches: startLocal(),
      rateLimit: { limit: 100, per: '1h', name: 'all' },
    })
    app.get('/early', config(LIMIT), () => 'ok')
    app.register(async (part) => {
      part.get('/part', config(LIMIT), () => 'ok')
    })
    expect(await statuses(app, '/early')).toEqual([200, 200, 429])
    expect(await statuses(app, '/part')).toEqual([200, 200, 429])
  })

  it('that are wrong are errors when the route is registered', async () => {
    const app = makeApp()
    await app.register(larder, { caches: startLocal() })
    const add = (said: object) => () => app.get('/a', config(said), () => 'ok')
    expect(add({ limit: -1, per: '1h' })).toThrow(/limit/)
    expect(add({ limt: 1, per: '1h' })).toThrow(/rateLimit of GET \/a\.limt.*Did you mean limit/)
    expect(add({ ...LIMIT, hook: 'onSend' })).toThrow(/\.hook takes "onRequest" or "preHandler"/)
    expect(add({ ...LIMIT, global: 1 })).toThrow(/\.global takes/)
    expect(add({ ...LIMIT, onStoreError: 'maybe' })).toThrow(/onStoreError/)
    const without = makeApp()
    await without.register(larder)
    expect(() => without.get('/a', config(LIMIT), () => 'ok')).toThrow(/caches among the options/)
  })
})

it('counts a flood of what no route answers', async () => {
  const app = makeApp()
  await app.register(larder, { caches: startLocal(), rateLimit: { limit: 10, per: '1h' } })
  app.get('/', () => 'ok')
  const codes = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => (await app.inject(`/wp-admin/${i}`)).statusCode),
  )
  expect(codes.filter((code) => code === 404)).toHaveLength(10)
  expect(codes.filter((code) => code === 429)).toHaveLength(40)
})

it('reaches parts of the application, and a second registration counts its own limit once', async () => {
  const caches = startLocal()
  const app = makeApp()
  await app.register(larder, { caches, rateLimit: { limit: 9, per: '1h', name: 'outer' } })
  await app.register(async (part) => {
    await part.register(larder, { caches, rateLimit: { limit: 5, per: '1h', name: 'inner' } })
    part.get('/part', config({ limit: 3, per: '1h', name: 'own' }), () => 'ok')
  })
  app.get('/root', () => 'ok')
  const remaining = async (url: string) => {
    const { headers } = await app.inject(url)
    return Object.fromEntries(
      membersOf(String(headers['ratelimit'])).map(({ name, r }) => [name, r]),
    )
  }
  expect(await remaining('/part')).toEqual({ outer: 8, inner: 4, own: 2 })
  expect(await remaining('/root')).toEqual({ outer: 7 })
})

it('tells the handler where the request stands, and null where nobody has decided', async () => {
  const app = makeApp()
  await app.register(larder, { caches: startLocal() })
  const seen: unknown[] = []
  const handler = async (request: FastifyRequest) =>
    void seen.push(request.rateLimit?.remaining ?? null)
  app.get('/a', config(LIMIT), handler)
  app.get('/b', handler)
  await app.inject('/a')
  await app.inject('/b')
  expect(seen).toEqual([1, null])
})

it('a schema of the route, and an error handler of its own, leave the problem document and the fields alone', async () => {
  const app = makeApp()
  app.setErrorHandler((_, __, reply) => reply.code(418).send({ mine: true }))
  await app.register(larder, { caches: startLocal() })
  const schema = {
    response: { '4xx': { type: 'object', properties: { other: { type: 'string' } } } },
  }
  app.get('/a', { ...config({ limit: 1, per: '1h', name: 'a' }), schema }, async () => {
    throw new Error('failed')
  })
  const failed = await app.inject('/a')
  expect(failed.statusCode).toBe(418)
  expect(failed.headers['ratelimit']).toMatch(/^"a";r=0/)
  const refused = await app.inject('/a')
  expect(refused.statusCode).toBe(429)
  expect(refused.json()).toMatchObject({ status: 429, 'violated-policies': ['a'] })
})

it('serves HTTP/2: a permit ends with its stream, and what is refunded by status is', async () => {
  const caches = startLocal()
  const slots = caches.limiter({ name: 'slots', limit: 1, algorithm: 'concurrency' })
  const rate = caches.limiter({ name: 'rate', limit: 9, per: '1h' })
  const app = fastify({ http2: true, forceCloseConnections: true } as object)
  onTestFinished(() => app.close())
  const key = (): string => 'k'
  const limits = [
    { limiter: slots, key },
    { limiter: rate, key },
  ] as const
  await app.register(larder, { rateLimit: { limits, refundIf: (status) => status === 503 } })
  let isHeld = false
  app.get('/hold', () => {
    isHeld = true
    return new Promise(() => {})
  })
  app.get('/away', (_, reply) => reply.code(503).send('away'))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const client = connect(url)
  onTestFinished(() => client.destroy())
  const status = (path: string) =>
    new Promise((resolve) => {
      const stream = client.request({ ':path': path })
      stream.on('response', (headers) => resolve(headers[':status']))
      stream.resume()
    })
  const free = async () => (await slots.peek('k', 0)).remaining === 1
  expect(await status('/away')).toBe(503)
  await eventually('it is given back', async () => (await rate.peek('k', 0)).remaining === 9)
  await eventually('the permit is free', free)
  const held = client.request({ ':path': '/hold' })
  await eventually('it is held', () => isHeld)
  expect(await status('/away')).toBe(429)
  held.close()
  await eventually('the permit is free', free)
})

it('many limits of one request listen once', async () => {
  const warnings: Error[] = []
  const warn = (warning: Error) => void warnings.push(warning)
  process.on('warning', warn)
  onTestFinished(() => void process.off('warning', warn))
  const app = makeApp()
  const caches = startLocal()
  await app.register(larder, { caches })
  for (let i = 0; i < 30; i++)
    await app.register(larder, { caches, rateLimit: { limit: 9, per: '1h', name: `limit-${i}` } })
  app.get('/', () => 'ok')
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const response = await fetch(url)
  expect(membersOf(response.headers.get('RateLimit'))).toHaveLength(30)
  expect(warnings).toEqual([])
})
