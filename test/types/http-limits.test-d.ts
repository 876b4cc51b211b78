/** What types say about rate limits in frameworks: requests are inferred, keys are asked for where there is no address. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type CacheManager, ipKey, type Limiter, type RateLimitVerdict } from '@larder/core'
import { rateLimit as expressLimit } from '@larder/plugins/express'
import { larder } from '@larder/plugins/fastify'
import { rateLimit as honoLimit, type LimitedEnv } from '@larder/plugins/hono'
import { LimitGuard } from '@larder/plugins/http'
import express from 'express'
import fastify, { type FastifyTypeProviderDefault } from 'fastify'
import { Hono } from 'hono'

declare const limiter: Limiter
declare const caches: CacheManager

export function inExpress(): void {
  const app = express()
  app.use(expressLimit({ limiter }))
  app.use('/api', expressLimit({ app, limiter, key: 'address', trustsAnyProxy: true }))
  app.use(
    expressLimit({ limiter, key: (req) => ipKey(req.ip), cost: (req) => req.rawHeaders.length }),
  )
  app.get(
    '/:id',
    expressLimit({ limiter, key: (req: express.Request) => `${req.params['id']}` }),
    (req, res) => {
      const verdict: RateLimitVerdict | undefined = req.rateLimit
      res.send(String(verdict?.remaining))
    },
  )
  app.use(
    expressLimit({ limits: [{ limiter }, { limiter, key: (req) => req.headers.host ?? '' }] }),
  )
  app.use(
    expressLimit({ limiter, refundIf: (status, req) => status >= 500 && req.method === 'GET' }),
  )
  // @ts-expect-error An application has settings.
  app.use(expressLimit({ app: {}, limiter }))
  // @ts-expect-error A key is a text, a number, and so on.
  app.use(expressLimit({ limiter, key: () => ({}) }))
  // @ts-expect-error A limiter is needed.
  app.use(expressLimit({ key: 'address' }))
  // @ts-expect-error Either one or several.
  app.use(expressLimit({ limiter, limits: [{ limiter }] }))
  // @ts-expect-error At least one.
  app.use(expressLimit({ limits: [] }))
  // @ts-expect-error Only these drafts.
  app.use(expressLimit({ limiter, draft: 7 }))
}

/** As connect and node:http have them. */
export const inConnect: (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void = expressLimit<IncomingMessage>({ limiter, key: (request) => request.url ?? '' })

export async function inFastify(): Promise<void> {
  const app = fastify()
  await app.register(larder, { caches, rateLimit: { limit: 100, per: '1m' } })
  await app.register(larder, { rateLimit: { limiter, key: (request) => request.id } })
  const limited = {
    config: { larder: { rateLimit: { limit: 10, per: '1s', key: (r: { id: string }) => r.id } } },
  } as const
  app.get('/limited', limited, (request) => {
    const verdict: RateLimitVerdict | null = request.rateLimit
    return verdict?.remaining
  })
  const several = { limits: [{ limiter }, { limiter, key: () => 'all' }] } as const
  app.get('/several', { config: { larder: { rateLimit: several } } }, () => 'ok')
  app.get('/none', { config: { larder: { rateLimit: false } } }, () => 'ok')
  app.get(
    '/policies',
    {
      config: {
        larder: {
          rateLimit: {
            name: 'export',
            policies: [
              { name: 'burst', limit: 20, per: '1s' },
              { name: 'slots', algorithm: 'concurrency', limit: 2 },
            ],
            hook: 'preHandler',
            key: (request) => request.ip,
            onStoreError: 'local',
          },
        },
      },
    },
    () => 'ok',
  )
  // @ts-expect-error A limit needs its time.
  app.get('/wrong', { config: { larder: { rateLimit: { limit: 10 } } } }, () => 'ok')
  // @ts-expect-error There are two hooks.
  app.get('/wrong', { config: { larder: { rateLimit: { limiter, hook: 'onSend' } } } }, () => 'ok')
}

/** Applications of other servers and types take the plugin too. */
export async function inOtherFastifies(): Promise<void> {
  await fastify({ http2: true }).register(larder, { caches })
  await fastify({ logger: true }).withTypeProvider<FastifyTypeProviderDefault>().register(larder)
  await fastify().register(async (part) => {
    await part.register(larder, { caches, rateLimit: { limit: 1, per: '1s' } })
  })
}

/** Middleware of Express that is typed by hand, and routers. */
export const typed: express.RequestHandler = expressLimit({ limiter })
export const router: express.Router = express
  .Router()
  .use(expressLimit({ limiter, key: (req: express.Request) => req.params['id'] ?? '' }))

export function inHono(): void {
  interface App {
    Variables: { userId: string }
  }
  const app = new Hono<App>()
  app.use('/api/*', honoLimit<App>({ limiter, key: (c) => c.get('userId'), cost: () => 1 }))
  app.use(honoLimit({ limiter, key: (c) => c.req.header('x-user') ?? 'nobody', legacy: true }))
  new Hono<App & LimitedEnv>().get('/', (c) => {
    const verdict: RateLimitVerdict | undefined = c.get('rateLimit')
    return c.text(`${c.get('userId')} ${verdict?.remaining}`)
  })
  new Hono().get('/', honoLimit({ limiter, key: () => 'k' }), (c) => {
    const verdict: RateLimitVerdict | undefined = c.get('rateLimit')
    return c.text(String(verdict?.remaining))
  })
  // @ts-expect-error A key is needed: there is no address.
  app.use(honoLimit({ limiter }))
  // @ts-expect-error The same.
  app.use(honoLimit({ limiter, key: 'address' }))
  // @ts-expect-error The same, in a list.
  app.use(honoLimit({ limits: [{ limiter }] }))
}

export async function withoutFramework(): Promise<number> {
  const guard = new LimitGuard<{ user: string }>(
    { limiter, key: ({ user }) => user },
    { where: 'limit' },
  )
  const decision = await guard.decide({ user: 'ann' }, new AbortController().signal)
  if (decision.kind === 'refused') return decision.status
  decision.end(200)
  // @ts-expect-error Only a refused request has an answer.
  decision.answer(() => undefined)
  return decision.verdict?.remaining ?? 0
}
