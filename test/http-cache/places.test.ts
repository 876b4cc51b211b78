/** What something before the cache has chosen a handler, a tenant or an application by, and no handler sees: it tells responses apart. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, serve } from '@hono/node-server'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { httpCache as expressCache } from '@larder/plugins/express'
import { httpCache as fastifyCache } from '@larder/plugins/fastify'
import { httpCache as honoCache } from '@larder/plugins/hono'
import express, { type NextFunction, type Request, type Response } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../http-limits/support/frameworks.ts'
import { ask, statusOf } from './support/ask.ts'

function startCaches(): CacheManager {
  const caches = createCacheManager({ namespace: 'places', local: lruStore(), default: false })
  onTestFinished(() => caches.close())
  return caches
}

async function startHono(app: Pick<Hono, 'fetch'>): Promise<number> {
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made))
  })
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

interface Tenants {
  readonly Variables: { tenant: string | undefined }
}

/** Chooses a tenant as `by` says. */
const tenants =
  (by: (request: Request) => string | undefined) =>
  (request: Request, response: Response, next: NextFunction): void => {
    response.locals['tenant'] = by(request)
    next()
  }
const showTenant = (_: Request, response: Response): void =>
  void response.send(String(response.locals['tenant']))

const bodies = async (port: number, questions: readonly Parameters<typeof ask>[1][]) => {
  const found: string[] = []
  for (const question of questions) found.push((await ask(port, question)).body)
  return found
}
const HOSTS = [{ headers: { host: 'a.example' } }, { headers: { host: 'b.example' } }]

describe('a cache behind another one', () => {
  it('in Express tells hosts apart, which the outer one hides', async () => {
    const caches = startCaches()
    const app = express()
    app.use(tenants((request) => request.headers.host))
    app.use(expressCache({ caches, ttl: '1m' }), expressCache({ caches, ttl: '1m' }))
    app.get('/', showTenant)
    const { port } = await listen(createServer(app))
    expect(await bodies(port, [...HOSTS, ...HOSTS])).toEqual([
      ...['a.example', 'b.example', 'a.example', 'b.example'],
    ])
  })

  it('in Hono does, too, also in an application that is mounted', async () => {
    const caches = startCaches()
    const app = new Hono<Tenants>()
    const inner = new Hono<Tenants>()
    let tenant: string | undefined
    app.use(async (c, next) => {
      tenant = c.req.header('host')
      await next()
    })
    app.use(honoCache({ caches, ttl: '1m' }))
    inner.use(honoCache({ caches, ttl: '1m' }))
    inner.get('/', (c) => c.text(String(tenant)))
    app.get('/', honoCache({ caches, ttl: '1m' }), (c) => c.text(String(tenant)))
    app.mount('/inner', inner.fetch)
    const port = await startHono(app)
    expect(await bodies(port, [...HOSTS])).toEqual(['a.example', 'b.example'])
    const mounted = HOSTS.map((host) => ({ ...host, path: '/inner/' }))
    expect(await bodies(port, mounted)).toEqual(['a.example', 'b.example'])
  })

  it.each([
    ['a field', { vary: ['x-tenant'] }, (tenant: string) => ({ 'x-tenant': tenant })],
    ['a cookie', { cookies: ['of'] }, (tenant: string) => ({ cookie: `of=${tenant}; in=en` })],
  ])(
    'keeps nothing where the outer one hides %s that it tells apart',
    async (_, inner, headers) => {
      const caches = startCaches()
      const app = express()
      app.use(tenants(({ headers: seen }) => `${seen['x-tenant'] ?? seen.cookie}`))
      app.use(expressCache({ caches, cookies: ['in'] }))
      app.get('/', expressCache({ caches, ttl: '1m', ...inner }), showTenant)
      const { port } = await listen(createServer(app))
      const [a, b] = [
        await ask(port, { headers: headers('a') }),
        await ask(port, { headers: headers('b') }),
      ]
      expect(a.body).toContain('a')
      expect(b.body).not.toBe(a.body)
      expect(statusOf(b)).toContain('detail=hidden')
    },
  )

  it('and shows a handler no more than the outer one does', async () => {
    const caches = startCaches()
    const app = express()
    const vary = ['x-language']
    app.use(expressCache({ caches, vary }), expressCache({ caches, ttl: '1m', vary }))
    app.get('/', ({ headers }, response) => void response.send(Object.keys(headers).join()))
    const { port } = await listen(createServer(app))
    const headers = { 'x-language': 'de,  en', 'x-other': 'a' }
    expect(await bodies(port, [{ headers }, { headers }])).toEqual(['x-language', 'x-language'])
    expect(statusOf(await ask(port, { headers }))).toContain('hit')
  })

  it('keeps what the outer one does not, and waits for nobody', async () => {
    const caches = startCaches()
    const app = express()
    let rendered = 0
    app.use(expressCache({ caches }))
    app.get('/', expressCache({ caches, ttl: '1m' }), (_, response) => {
      rendered += 1
      response.send('ok')
    })
    const { port } = await listen(createServer(app))
    // Without a host, both would have one key.
    for (let i = 0; i < 3; i += 1)
      expect((await ask(port, { headers: { host: '' } })).body).toBe('ok')
    expect(rendered).toBe(1)
  })
})

describe('behind a proxy that is trusted', () => {
  const asked = ['a.example', 'b.example'].map((host) => ({
    headers: { host: 'internal', 'x-forwarded-host': host },
  }))

  it('Express: each host that the client asked for has responses of its own', async () => {
    const app = express()
    app.set('trust proxy', 1)
    app.use(tenants((request) => request.hostname))
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.get('/', showTenant)
    const { port } = await listen(createServer(app))
    expect(await bodies(port, asked)).toEqual(['a.example', 'b.example'])
  })

  it('Fastify: each host that the client asked for has responses of its own', async () => {
    const app = fastify({ forceCloseConnections: true, trustProxy: '127.0.0.1' })
    let tenant: string | undefined
    app.addHook('onRequest', async (request) => {
      tenant = request.hostname
    })
    const preHandler = fastifyCache({ caches: startCaches(), ttl: '1m' })
    app.get('/', { preHandler }, async () => tenant)
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const { port } = app.server.address() as AddressInfo
    expect(await bodies(port, asked)).toEqual(['a.example', 'b.example'])
  })

  it('a host of which nobody is told to trust the sender chooses nothing', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.get('/', (_, response) => void response.send('ok'))
    const { port } = await listen(createServer(app))
    await ask(port, asked[0])
    expect(statusOf(await ask(port, asked[1]))).toContain('hit')
  })

  it('HTTP and HTTPS have responses of their own', async () => {
    const app = express()
    app.set('trust proxy', 1)
    app.use(tenants((request) => request.protocol))
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.get('/', showTenant)
    const { port } = await listen(createServer(app))
    const schemes = ['http', 'https'].map((each) => ({ headers: { 'x-forwarded-proto': each } }))
    expect(await bodies(port, schemes)).toEqual(['http', 'https'])
  })
})

describe('routes of one path', () => {
  it('of several versions in Fastify have responses of their own', async () => {
    const caches = startCaches()
    const app = fastify({ forceCloseConnections: true })
    for (const version of ['1.0.0', '2.0.0'])
      app.get(
        '/',
        { constraints: { version }, preHandler: fastifyCache({ caches, ttl: '1m' }) },
        async () => version,
      )
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const { port } = app.server.address() as AddressInfo
    const versions = ['1.0.0', '2.0.0'].map((each) => ({ headers: { 'accept-version': each } }))
    expect(await bodies(port, versions)).toEqual(['1.0.0', '2.0.0'])
  })

  it('in applications that are mounted in Hono and in Express have responses of their own', async () => {
    const caches = startCaches()
    const made = (name: string) => {
      const app = new Hono()
      app.use(honoCache({ caches, ttl: '1m' }))
      app.get('/page', (c) => c.text(`${name} ${new URL(c.req.url).pathname}`))
      return app
    }
    const outer = new Hono()
    for (const name of ['a', 'b']) outer.mount(`/${name}`, made(name).fetch)
    const port = await startHono(outer)
    const expressApp = express()
    for (const name of ['x', 'y'])
      expressApp.use(`/${name}`, getRequestListener(made(name).fetch) as never)
    const { port: other } = await listen(createServer(expressApp))
    const paths = (names: readonly string[]) => names.map((name) => ({ path: `/${name}/page` }))
    expect(await bodies(port, paths(['a', 'b', 'a']))).toEqual(['a /page', 'b /page', 'a /page'])
    expect(await bodies(other, paths(['x', 'y', 'x']))).toEqual(['x /page', 'y /page', 'x /page'])
    await honoCache.evict(caches, '/a/page')
    expect(statusOf(await ask(port, { path: '/a/page' }))).toContain('uri-miss')
    expect(statusOf(await ask(port, { path: '/b/page' }))).toContain('hit')
  })
})
