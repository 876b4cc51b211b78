/** Limits by the address of a client: what counts as one, what is none, and when a framework lets clients choose theirs. */

import { request as ask, createServer } from 'node:http'
import { ipKey, type Limiter } from '@larder/core'
import { type ExpressRateLimitOptions, rateLimit as expressLimit } from '@larder/plugins/express'
import { type LarderFastifyOptions, larder } from '@larder/plugins/fastify'
import { rateLimit as honoLimit } from '@larder/plugins/hono'
import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import fastify, { type FastifyServerOptions } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { listen } from './support/frameworks.ts'
import { startLocal } from './support/stores.ts'

const makeLimiter = (): Limiter => startLocal().limiter({ name: 'api', limit: 1, per: '1h' })

interface Answer {
  readonly status: number
  readonly body: string
}

/** Asks with an address that a proxy, or a client, says. */
function askAs(url: string, forwarded?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    const asked = ask(url, { headers }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

interface Express {
  set(name: string, value: unknown): void
  use(...handlers: unknown[]): void
}

/** Starts a server and returns its URL; `trust` is the setting of its framework. */
type Start = (limit: object, trust: unknown) => Promise<string>

const expressStart =
  (make: () => unknown): Start =>
  async (limit, trust) => {
    const app = make() as Express
    app.set('trust proxy', trust)
    app.use(expressLimit(limit as ExpressRateLimitOptions))
    app.use((_: unknown, response: { end(text: string): void }) => response.end('ok'))
    app.use(
      (
        error: Error,
        _: unknown,
        response: { status(code: number): { send(text: string): void } },
        __: unknown,
      ) => response.status(500).send(error.message),
    )
    return (await listen(createServer(app as never))).url
  }

const fastifyStart: Start = async (limit, trust) => {
  const { trustsAnyProxy, ...rateLimit } = limit as LarderFastifyOptions
  const app = fastify({ trustProxy: trust } as FastifyServerOptions)
  onTestFinished(() => app.close())
  await app.register(larder, { rateLimit, trustsAnyProxy } as LarderFastifyOptions)
  app.get('/', async () => 'ok')
  return app.listen({ port: 0, host: '127.0.0.1' })
}

const SERVERS: readonly (readonly [name: string, start: Start])[] = [
  ['express 5', expressStart(() => express())],
  ['express 4', expressStart(() => express4())],
  ['fastify 5', fastifyStart],
]

/** What trusts whoever calls. */
const EVERYBODY = [
  true,
  () => true,
  '0.0.0.0/1, 128.0.0.0/1',
  '0.0.0.0/128.0.0.0, 128.0.0.0/128.0.0.0',
]

describe.each(SERVERS)('%s', (name, start) => {
  it('counts by the peer where no proxy is trusted, whatever the client says', async () => {
    const url = await start({ limiter: makeLimiter() }, false)
    expect((await askAs(url, '1.1.1.1')).status).toBe(200)
    expect((await askAs(url, '2.2.2.2')).status).toBe(429)
  })

  it('counts by the address that the trusted proxy appended', async () => {
    const url = await start({ limiter: makeLimiter() }, 'loopback')
    expect((await askAs(url, '9.9.9.9, 1.1.1.1')).status).toBe(200)
    expect((await askAs(url, '8.8.8.8, 1.1.1.1')).status).toBe(429)
    expect((await askAs(url, '1.1.1.1, 8.8.8.8')).status).toBe(200)
  })

  it.each([
    ['::ffff:1.1.1.1', '1.1.1.1'],
    ['2001:db8:1:1::1', '2001:db8:1:1:ffff::2'],
    ['fe80::1%eth0', 'fe80::1%eth1'],
    ['2001:DB8:1:1::1', '2001:db8:0001:0001::2'],
  ])('%s and %s are one client', async (one, other) => {
    const url = await start({ limiter: makeLimiter() }, 'loopback')
    expect((await askAs(url, one)).status).toBe(200)
    expect((await askAs(url, other)).status).toBe(429)
  })

  it.each([
    'unknown',
    '1.2.3',
    '<script>',
    '1.2.3.4:80',
    '::1%%',
    '1.2.3.4, x',
    `${'9'.repeat(500)}`,
  ])(
    '%s is no address, which is a bad request, and not a limit that strangers share',
    async (garbage) => {
      const limiter = makeLimiter()
      const url = await start({ limiter }, 'loopback')
      for (let i = 0; i < 2; i++) {
        const { status, body } = await askAs(url, garbage)
        expect(status).toBe(400)
        expect(JSON.parse(body)).toMatchObject({ type: 'about:blank', status: 400 })
      }
      expect((await limiter.peek(ipKey('127.0.0.1'), 0)).remaining).toBe(1)
    },
  )

  it.each(EVERYBODY)('refuses a key of the address where %s trusts every proxy', async (trust) => {
    for (const key of ['address', (request: { ip: string }) => ipKey(request.ip)]) {
      const limiter = makeLimiter()
      const refused = async (): Promise<string> => {
        const url = await start({ limiter, key }, trust)
        const { status, body } = await askAs(url, '1.1.1.1')
        return status === 500 ? body : `${status}`
      }
      expect(await refused().catch((error: Error) => error.message)).toMatch(
        /takes whom clients cannot choose themselves.*trustsAnyProxy: true/,
      )
      expect((await limiter.peek('1.1.1.1', 0)).remaining).toBe(1)
    }
  })

  it.each(EVERYBODY)('takes it where the application says that %s is right', async (trust) => {
    const url = await start({ limiter: makeLimiter(), trustsAnyProxy: true }, trust)
    expect((await askAs(url, '1.1.1.1')).status).toBe(200)
    expect((await askAs(url, '1.1.1.1')).status).toBe(429)
  })

  it.each(EVERYBODY)(
    'leaves keys of something else alone where %s trusts every proxy',
    async (trust) => {
      const key = (request: { headers: object }) => Object.keys(request.headers).length
      const url = await start({ limiter: makeLimiter(), key }, trust)
      expect((await askAs(url, '1.1.1.1')).status).toBe(200)
      expect((await askAs(url, '2.2.2.2')).status).toBe(429)
    },
  )

  it('several proxies, and ranges of them, are fine', async () => {
    for (const trust of [1, 2, '10.0.0.0/8', ['loopback', '10.0.0.0/8']]) {
      const url = await start({ limiter: makeLimiter() }, trust)
      expect((await askAs(url, '1.1.1.1')).status, `${name} ${String(trust)}`).toBe(200)
    }
  })
})

it('Fastify refuses at registration, of the plugin and of a route', async () => {
  const app = fastify({ trustProxy: true })
  onTestFinished(() => app.close())
  const limiter = makeLimiter()
  await app.register(larder, {})
  const route = (key?: unknown) => () =>
    app.get('/', { config: { larder: { rateLimit: { limiter, key } as never } } }, () => 'ok')
  expect(route()).toThrow(/trustsAnyProxy/)
  expect(route((request: { ip: string }) => ipKey(request.ip))).toThrow(/trustsAnyProxy/)
  expect(route((request: { user: { id: string } }) => request.user.id)).not.toThrow()
  const other = fastify({ trustProxy: true })
  onTestFinished(() => other.close())
  await expect(async () => other.register(larder, { rateLimit: { limiter } })).rejects.toThrow(
    /trustsAnyProxy/,
  )
})

it('Fastify refuses a request whose key turns out to be the address', async () => {
  const app = fastify({ trustProxy: true })
  onTestFinished(() => app.close())
  const key = async (request: { ip: string }) => {
    await null
    return ipKey(request.ip)
  }
  await app.register(larder, { rateLimit: { limiter: makeLimiter(), key } })
  app.get('/', () => 'ok')
  const { statusCode, body } = await app.inject('/')
  expect(statusCode).toBe(500)
  expect(body).toMatch(/trustsAnyProxy/)
})

describe.each([
  ['express 5', () => express()],
  ['express 4', () => express4()],
] as const)('%s', (_, make) => {
  const behind = (trust?: unknown) => {
    const app = make() as Express & { get(name: string): unknown }
    if (trust !== undefined) app.set('trust proxy', trust)
    return app
  }

  it.each(EVERYBODY)('refuses at once, where it is given the application, and %s', (trust) => {
    const limiter = makeLimiter()
    const app = behind(trust)
    const byAddress = (request: object) => ipKey((request as { ip?: string }).ip)
    const byUser = ({ headers }: { headers: object }) => Object.keys(headers).length
    expect(() => expressLimit({ app, limiter })).toThrow(/trusts every proxy/)
    expect(() => expressLimit({ app, limiter, key: byAddress })).toThrow(/trusts every proxy/)
    const limits = [{ limiter, key: byUser }, { limiter }] as const
    expect(() => expressLimit({ app, limits })).toThrow(/trusts every proxy/)
    expect(() => expressLimit({ app, limiter, key: byUser })).not.toThrow()
    expect(() => expressLimit({ app, limiter, trustsAnyProxy: true })).not.toThrow()
    expect(() => expressLimit({ app: behind(), limiter })).not.toThrow()
    expect(() => expressLimit({ app: behind(1), limiter })).not.toThrow()
  })

  it('still refuses requests where the setting is made later', async () => {
    const app = behind()
    app.use(expressLimit({ app, limiter: makeLimiter() }))
    app.set('trust proxy', true)
    const { url } = await listen(createServer(app as never))
    expect((await askAs(url)).status).toBe(500)
  })
})

it.each([[{}], [connect()], [null], ['app']])('Express refuses %o as an application', (app) => {
  const limiter = makeLimiter()
  expect(() => expressLimit({ app: app as never, limiter })).toThrow(/rateLimit\.app takes/)
})

describe.each(SERVERS)('%s', (_, start) => {
  it('warns of the first request that is answered with an error for it, and of no more', async () => {
    const warnings: string[] = []
    const note = ({ message, ...warning }: Error): void => {
      const { code } = warning as { code?: string }
      if (code === 'LARDER_TRUST_PROXY') warnings.push(message)
    }
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    const key = async (request: { ip: string }) => {
      await null
      return ipKey(request.ip)
    }
    const url = await start({ limiter: makeLimiter(), key }, true)
    for (let i = 0; i < 3; i++) expect((await askAs(url)).status).toBe(500)
    await eventually('it is told', () => warnings.length > 0)
    expect(warnings).toEqual([
      expect.stringMatching(/trusts every proxy.*trustsAnyProxy: true.*Until/),
    ])
  })
})

it('Express notices a setting that is made after the middleware', async () => {
  const app = express()
  app.use(expressLimit({ limiter: makeLimiter() }))
  app.use((error: Error, _: unknown, response: express.Response, __: unknown) => {
    response.status(500).send(error.message)
  })
  app.set('trust proxy', true)
  const { url } = await listen(createServer(app))
  expect((await askAs(url)).body).toMatch(/'trust proxy' trusts every proxy/)
})

it('connect has no address to count by', async () => {
  const app = connect() as Express
  app.use(expressLimit({ limiter: makeLimiter() }))
  const { url } = await listen(createServer(app as never))
  const { status, body } = await askAs(url)
  expect(status).toBe(500)
  expect(body).toMatch(/rateLimit\.key takes a function/)
})

it('Hono has none either, which is an error at once', () => {
  const limiter = makeLimiter()
  expect(() => honoLimit({ limiter } as never)).toThrow(/rateLimit\.key takes a function/)
  expect(() => honoLimit({ limiter, key: 'address' } as never)).toThrow(/rateLimit\.key/)
  expect(() => honoLimit({ limits: [{ limiter }] } as never)).toThrow(/limits\[0\]\.key/)
})
