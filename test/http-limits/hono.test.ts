/** What is special about Hono: fields that survive whatever a handler returns, and servers that do not say when a response is over. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type HonoRateLimitOptions, rateLimit } from '@larder/plugins/hono'
import { Hono, type MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { membersOf } from './support/client.ts'
import { startLocal } from './support/stores.ts'

const key = (): string => 'k'

/** Runs a full collection, without a flag on the command line. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

function limited(limit = 9, more: Pick<HonoRateLimitOptions, 'problem'> = {}) {
  const limiter = startLocal().limiter({ name: 'api', limit, per: '1h' })
  const app = new Hono()
  app.use(rateLimit({ limiter, key, ...more }))
  return app
}

describe('fields survive', () => {
  const app = () =>
    limited()
      .get('/raw', () => new Response('raw', { headers: { 'x-own': '1' } }))
      .get('/frozen', () => Response.redirect('http://x/elsewhere', 302))
      .get('/redirect', (c) => c.redirect('/elsewhere'))
      .get('/exception', () => {
        throw new HTTPException(403, { res: new Response('no', { status: 403 }) })
      })
      .get('/json', (c) => c.json({ ok: true }))
      .onError((error, c) =>
        error instanceof HTTPException ? error.getResponse() : c.text('failed', 500),
      )

  it.each([
    ['/raw', 200],
    ['/frozen', 302],
    ['/redirect', 302],
    ['/exception', 403],
    ['/json', 200],
    ['/nothing', 404],
  ])('%s', async (path, status) => {
    const response = await app().request(path)
    expect(response.status).toBe(status)
    expect(membersOf(response.headers.get('RateLimit'))).toMatchObject([{ name: 'api', r: 8 }])
  })
})

describe('without a server of Node, a permit', () => {
  const slots = ({
    refundIf,
    outer,
  }: {
    refundIf?: (() => boolean) | undefined
    outer?: MiddlewareHandler
  } = {}) => {
    const limiter = startLocal().limiter({ name: 'slots', limit: 1, algorithm: 'concurrency' })
    const app = new Hono()
    if (outer !== undefined) app.use(outer)
    app.use(rateLimit({ limiter, key, refundIf }))
    app.get('/text', (c) => c.text('text'))
    app.get('/empty', (c) => c.body(null, 204))
    app.get('/throw', () => {
      throw new Error('failed')
    })
    app.get('/stream', (c) => {
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode('more'))
        },
      })
      return c.body(body)
    })
    app.onError((_, c) => c.text('failed', 500))
    return { app, left: async () => (await limiter.peek('k', 0)).remaining }
  }

  it.each(['/text', '/empty', '/throw'])('of %s ends when the body is read', async (path) => {
    const { app, left } = slots()
    const response = await app.request(path)
    await response.text()
    await eventually('the permit is free', async () => (await left()) === 1)
    expect(membersOf(response.headers.get('RateLimit-Policy'))).toMatchObject([{ name: 'slots' }])
  })

  it('of a stream lasts until its reader gives up', async () => {
    const { app, left } = slots()
    const response = await app.request('/stream')
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    expect(await left()).toBe(0)
    await reader.cancel()
    await eventually('the permit is free', async () => (await left()) === 1)
  })

  it('of HEAD ends with its fields, for Hono takes the body away', async () => {
    const { app, left } = slots()
    for (const path of ['/text', '/stream', '/empty']) {
      const response = await app.request(path, { method: 'HEAD' })
      expect([response.status < 300, await response.text()]).toEqual([true, ''])
      await eventually('the permit is free', async () => (await left()) === 1)
    }
  })

  it('ends when the client goes before anybody reads the body', async () => {
    const { app, left } = slots()
    const client = new AbortController()
    const response = await app.request('/stream', { signal: client.signal })
    expect(await left()).toBe(0)
    client.abort()
    await eventually('the permit is free', async () => (await left()) === 1)
    expect(response.status).toBe(200)
  })

  it.each([undefined, () => false])(
    'ends where another response is sent in place of this one, refundIf: %s',
    async (refundIf) => {
      const { app, left } = slots({
        refundIf,
        outer: async (c, next) => {
          await next()
          c.res = new Response('maintenance', { status: 503 })
        },
      })
      expect(await (await app.request('/stream')).text()).toBe('maintenance')
      await eventually('the permit is free', async () => {
        collectGarbage()
        return (await left()) === 1
      })
    },
  )

  it('ends where a response was sent while the handler worked', async () => {
    let finish = (): void => undefined
    const work = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { app, left } = slots({
      outer: async (_, next) => {
        void next()
        await Promise.resolve()
        throw new HTTPException(504)
      },
    })
    app.get('/work', async (c) => {
      await work
      return c.text('late')
    })
    const response = await app.request('/work')
    expect(await response.text()).toBe('failed')
    await eventually('the handler has a permit', async () => (await left()) === 0)
    finish()
    await eventually('the permit is free', async () => (await left()) === 1)
  })

  it('is given back where the request was aborted before it was decided', async () => {
    const { app, left } = slots()
    const client = new AbortController()
    client.abort()
    const response = await app.request('/text', { signal: client.signal })
    expect(response.status).toBe(499)
    expect(await left()).toBe(1)
  })
})

it('leaves the verdict of the tightest limit in the context', async () => {
  const caches = startLocal()
  const app = new Hono()
  for (const limit of [9, 3, 5]) {
    const limiter = caches.limiter({ limit, per: '1h' })
    app.use(rateLimit({ limiter, key }))
  }
  app.get('/', (c) => c.text(String((c.var as { rateLimit?: { limit: number } }).rateLimit?.limit)))
  expect(await (await app.request('/')).text()).toBe('3')
})

it.each([undefined, null, 'text'])(
  'a problem of %s is an error of the application, whatever its status would be',
  async (problem) => {
    const app = limited(1, { problem: () => problem as never })
    let error: unknown
    app.onError((thrown, c) => {
      error = thrown
      return c.text('failed', 500)
    })
    await app.request('/')
    expect((await app.request('/')).status).toBe(500)
    expect(error).toMatchObject({ code: 'LARDER_INVALID_OPTION', option: 'rateLimit.problem' })
  },
)
