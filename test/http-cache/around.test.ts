/** What stands around the cache in real applications: sessions, cookies, languages and proxies. Each case was a way to another user's response. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import { serve } from '@hono/node-server'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { httpCache as expressCache } from '@larder/plugins/express'
import { httpCache as fastifyCache } from '@larder/plugins/fastify'
import { httpCache as honoCache } from '@larder/plugins/hono'
import express from 'express'
import session from 'express-session'
import fastify from 'fastify'
import { Hono } from 'hono'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../http-limits/support/frameworks.ts'
import { deferred } from '../support/eventually.ts'
import { ask, asking, statusOf } from './support/ask.ts'

function startCaches(): CacheManager {
  const caches = createCacheManager({ namespace: 'around', local: lruStore(), default: false })
  onTestFinished(() => caches.close())
  return caches
}

async function startHono(app: Hono): Promise<number> {
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made))
  })
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

describe('express', () => {
  it('keeps no response for which a session below the cache sets a cookie, and the client gets it', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.use(session({ secret: 's', resave: false, saveUninitialized: true }))
    app.get('/', (req, res) => void res.send(`you are ${req.sessionID}`))
    const { port } = await listen(createServer(app))
    const [a, b] = [await ask(port), await ask(port)]
    expect(a.body).not.toBe(b.body)
    expect(a.headers['set-cookie']).toHaveLength(1)
  })

  it('asks what has replaced writeHead below the cache, whichever way a handler ends', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    let made = 0
    app.use((_, res, next) => {
      const { writeHead } = res
      res.writeHead = function own(this: ServerResponse, ...args: never[]) {
        res.setHeader('Set-Cookie', `sid=${++made}`)
        return Reflect.apply(writeHead, this, args)
      } as never
      next()
    })
    app.get('/end', (_, res) => void res.end(`${made}`))
    app.get('/write', (_, res) => {
      res.write('a')
      res.end(`${made}`)
    })
    app.get('/head', (_, res) => {
      res.writeHead(200, {})
      res.end(`${made}`)
    })
    app.get('/flush', (_, res) => {
      res.flushHeaders()
      res.end(`${made}`)
    })
    const { port } = await listen(createServer(app))
    for (const path of ['/end', '/write', '/head', '/flush']) {
      const [a, b] = [await ask(port, { path }), await ask(port, { path })]
      expect([a.headers['set-cookie']?.length, b.headers['set-cookie']?.length], path).toEqual([
        1, 1,
      ])
      expect(statusOf(b), path).not.toContain('hit')
    }
  })

  it('sends what a handler of another method flushes, before it ends', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    const gate = deferred()
    app.post('/', async (_, res) => {
      res.flushHeaders()
      await gate.promise
      res.end('done')
    })
    const { port } = await listen(createServer(app))
    const { client, answer } = asking(port, { method: 'POST' })
    await once(client, 'response')
    gate.resolve()
    expect((await answer).body).toBe('done')
  })

  it('logs in by a session below the cache', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.use(session({ secret: 's', resave: false, saveUninitialized: false }))
    app.post('/', (req, res) => {
      Object.assign(req.session, { user: 'alice' })
      res.send('welcome')
    })
    app.get('/', (req, res) => void res.send(`${(req.session as { user?: string }).user}`))
    const { port } = await listen(createServer(app))
    const login = await ask(port, { method: 'POST' })
    expect(login).toMatchObject({ status: 200, body: 'welcome' })
    const cookie = `${login.headers['set-cookie']}`.split(';')[0] ?? ''
    expect((await ask(port, { headers: { cookie } })).body).toBe('alice')
    expect((await ask(port)).body).toBe('undefined')
  })

  it('hides fields of a request in all forms that node has', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.get(
      '/',
      (req, res) => void res.json([req.headers, req.rawHeaders, req.headersDistinct, req.hostname]),
    )
    const { port } = await listen(createServer(app))
    const first = await ask(port, {
      headers: { 'x-forwarded-host': 'evil.example', host: 'evil.example' },
    })
    expect(first.body).not.toContain('evil')
  })

  it('keeps no page made of a cookie that was set before the cache', async () => {
    const app = express()
    let made = 0
    app.use((_, res, next) => {
      res.locals.token = `token ${++made}`
      res.cookie('csrf', res.locals.token)
      next()
    })
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.get('/', (_, res) => void res.send(res.locals.token))
    const { port } = await listen(createServer(app))
    expect((await ask(port)).body).toBe('token 1')
    expect((await ask(port)).body).toBe('token 2')
  })

  it('keeps no page that depends on what something before the cache says it varies on', async () => {
    const app = express()
    app.use((req, res, next) => {
      res.locals.language = req.headers['accept-language']
      res.vary('Accept-Language')
      next()
    })
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.get('/', (_, res) => void res.send(res.locals.language))
    const { port } = await listen(createServer(app))
    expect((await ask(port, { headers: { 'accept-language': 'de' } })).body).toBe('de')
    expect((await ask(port, { headers: { 'accept-language': 'fr' } })).body).toBe('fr')
  })

  it('runs each handler in the context of its own request', async () => {
    const user = new AsyncLocalStorage<string>()
    const app = express()
    app.use((req, _, next) => user.run(String(req.headers['x-user']), next))
    app.use(expressCache({ caches: startCaches() }))
    app.get('/', async (_, res) => {
      await new Promise((resolve) => setImmediate(resolve))
      res.set('Cache-Control', 'private').send(String(user.getStore()))
    })
    const { port } = await listen(createServer(app))
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => ask(port, { headers: { 'x-user': `u${i}` } })),
    )
    expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 50 }, (_, i) => `u${i}`))
  })

  it('keeps no response that cannot be sent, and answers with the framework’s own error', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.get('/', (_, res) => {
      res.statusMessage = 'a\r\nb'
      res.set('Cache-Control', 'public, max-age=60').send('a')
    })
    const { port } = await listen(createServer(app))
    for (const answer of [await ask(port), await ask(port)]) {
      expect([answer.status, statusOf(answer)]).toEqual([500, 'larder; fwd=uri-miss'])
    }
  })

  it('sends a response with trailers as it is', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    app.get('/', (_, res) => {
      res.setHeader('Trailer', 'X-Sum')
      res.write('abc')
      res.addTrailers({ 'X-Sum': '1' })
      res.end()
    })
    const { port } = await listen(createServer(app))
    expect(await ask(port)).toMatchObject({ status: 200, body: 'abc' })
    expect(await ask(port)).toMatchObject({ status: 200, body: 'abc' })
  })
  it('a method with an absolute target ends what is kept', async () => {
    const app = express()
    app.use(expressCache({ caches: startCaches(), ttl: '1m' }))
    let made = 0
    app.get('/a', (_, res) => void res.send(`${++made}`))
    app.put('/a', (_, res) => void res.sendStatus(204))
    const { port } = await listen(createServer(app))
    expect((await ask(port, { path: '/a' })).body).toBe('1')
    expect((await ask(port, { path: 'http://any.example/a', method: 'PUT' })).status).toBe(204)
    expect((await ask(port, { path: '/a' })).body).toBe('2')
  })
  it('answers a request of which no tag can be made', async () => {
    const app = express()
    app.get(
      '/p/:id',
      expressCache({
        caches: startCaches(),
        ttl: '1m',
        tags: (req) => [(req as never as { params: { id: string } }).params.id],
      }),
      (_, res) => void res.send('ok'),
    )
    const { port } = await listen(createServer(app))
    expect((await ask(port, { path: `/p/${'x'.repeat(4000)}` })).status).toBe(200)
  })
})

describe('fastify', () => {
  it('hides parsed cookies that are not keyed', async () => {
    const app = fastify({ forceCloseConnections: true })
    await app.register(fastifyCookie)
    app.get(
      '/',
      { preHandler: fastifyCache({ caches: startCaches(), ttl: '1m', cookies: ['locale'] }) },
      async (request) => request.cookies,
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const { port } = app.server.address() as AddressInfo
    const alice = await ask(port, { headers: { cookie: 'sid=alice; locale=de' } })
    expect(JSON.parse(alice.body)).toEqual({ locale: 'de' })
    expect((await ask(port, { headers: { cookie: 'sid=bob; locale=de' } })).body).not.toContain(
      'alice',
    )
  })

  it('leaves out a field that was set before and the handler takes away', async () => {
    const app = fastify({ forceCloseConnections: true })
    app.addHook('onRequest', async (_, reply) => void reply.header('X-Frame-Options', 'DENY'))
    app.get(
      '/:how',
      { preHandler: fastifyCache({ caches: startCaches(), ttl: '1m' }) },
      async (_, reply) => {
        reply.removeHeader('X-Frame-Options')
        return 'ok'
      },
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const { port } = app.server.address() as AddressInfo
    expect((await ask(port, { path: '/a?x=1' })).headers['x-frame-options']).toBeUndefined()
  })
  it('over HTTP/2', async () => {
    const http2 = await import('node:http2')
    const app = fastify({ http2: true, forceCloseConnections: true } as never)
    app.get(
      '/',
      { preHandler: fastifyCache({ caches: startCaches(), ttl: '1m' }) } as never,
      async () => 'ok',
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const { port } = app.server.address() as AddressInfo
    const client = http2.connect(`http://127.0.0.1:${port}`)
    onTestFinished(() => client.destroy())
    const get = () =>
      new Promise((resolve, reject) => {
        const req = client.request({ ':path': '/' })
        let head: unknown
        let body = ''
        req.on('response', (h) => {
          head = h
        })
        req.on('data', (d) => {
          body += d
        })
        req.on('end', () => resolve({ head, body }))
        req.on('error', reject)
      })
    expect(await get()).toMatchObject({ body: 'ok', head: { ':status': 200 } })
    expect(await get()).toMatchObject({
      body: 'ok',
      head: { ':status': 200, 'cache-status': expect.stringContaining('hit') },
    })
    const fat = client.request({ ':path': '/', ':method': 'GET' }, { endStream: false })
    fat.end('evil')
    const [head] = await once(fat, 'response')
    expect(head['cache-status']).toContain('detail=body')
  })
})

describe('hono', () => {
  it('has nothing of a host in its request that the key does not cover', async () => {
    const app = new Hono()
    app.use(honoCache({ caches: startCaches(), ttl: '1m' }))
    app.get('*', (c) => c.text(c.req.url))
    const port = await startHono(app)
    expect((await ask(port, { path: '/a', headers: { host: 'evil.example:1337' } })).body).toBe(
      'http://localhost/a',
    )
    expect((await ask(port, { path: '/b', headers: { host: 'user.evil.example' } })).body).toBe(
      'http://localhost/b',
    )
    const good = { host: 'good.example' }
    const absolute = await ask(port, { path: 'https://evil.example/c', headers: good })
    expect(statusOf(absolute)).toContain('detail=target')
    expect((await ask(port, { path: '/c', headers: good })).body).toBe('http://localhost/c')
  })

  it('says the host that is keyed, and not the one of an absolute target', async () => {
    const app = new Hono()
    app.use(honoCache({ caches: startCaches(), ttl: '1m', vary: ['host'] }))
    app.get('*', (c) => c.text(c.req.url, 200, { Vary: 'Host' }))
    const port = await startHono(app)
    await ask(port, { path: 'http://evil.example/c', headers: { host: 'good.example' } })
    expect((await ask(port, { path: '/c', headers: { host: 'good.example' } })).body).toBe(
      'http://good.example/c',
    )
  })

  it('sends all cookies that were set before the cache', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      c.header('Set-Cookie', 'a=1', { append: true })
      c.header('Set-Cookie', 'b=2', { append: true })
      await next()
    })
    app.use(honoCache({ caches: startCaches(), ttl: '1m', ignoreSetCookie: ['a', 'b'] }))
    app.get('*', (c) => c.text('ok'))
    const port = await startHono(app)
    for (let i = 0; i < 2; i += 1)
      expect((await ask(port)).headers['set-cookie']).toEqual(['a=1', 'b=2'])
  })
})
