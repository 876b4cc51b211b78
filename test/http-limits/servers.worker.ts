/** A process with a server of one framework; the test asks it over HTTP. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { type CacheManager, createCacheManager, type Limiter } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { rateLimit as expressLimit } from '@larder/plugins/express'
import { larder } from '@larder/plugins/fastify'
import { rateLimit as honoLimit } from '@larder/plugins/hono'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

export interface ServersWorkerInit {
  readonly namespace: string
  readonly store: RedisStoreOptions
}

let caches: CacheManager
let close: () => unknown = () => undefined

function start({ namespace, store }: ServersWorkerInit): void {
  caches = createCacheManager({ namespace, local: lruStore(), remote: redisStore(store) })
}

const PATIENT = { storeTimeout: '20s', onStoreError: 'closed' } as const
const slots = (): Limiter =>
  caches.limiter({ ...PATIENT, name: 'held', algorithm: 'concurrency', limit: 1, lease: '3s' })

const NEVER = new Promise<string>(() => {})
const answer = (query: string | undefined): Promise<string> | string =>
  query === undefined ? NEVER : 'free'

/** Starts a server of a framework and returns its URL. */
async function listen(kind: 'express' | 'fastify' | 'hono'): Promise<string> {
  const limited = caches.limiter({ ...PATIENT, name: 'limited', limit: 20, per: '1h' })
  const held = slots()
  if (kind === 'express') {
    const app = express()
    const key = (request: express.Request): string => request.get('x-user') ?? ''
    app.get('/limited', expressLimit({ limiter: limited, key }), (_, res) => void res.send('ok'))
    app.get('/hold', expressLimit({ limiter: held, key }), async (req, res) => {
      res.send(await answer(req.url.split('?')[1]))
    })
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    close = () => {
      server.closeAllConnections()
      server.close()
    }
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  if (kind === 'fastify') {
    const app = fastify({ forceCloseConnections: true })
    await app.register(larder)
    const key = (request: { headers: object }): string =>
      String((request.headers as Record<string, unknown>)['x-user'])
    const config = (limiter: typeof held) => ({
      config: { larder: { rateLimit: { limiter, key } } },
    })
    app.get('/limited', config(limited), () => 'ok')
    app.get('/hold', config(held), async ({ url }) => answer(url.split('?')[1]))
    close = () => app.close()
    return app.listen({ port: 0, host: '127.0.0.1' })
  }
  const app = new Hono()
  const key = (c: { req: { header(name: string): string | undefined } }): string =>
    c.req.header('x-user') ?? ''
  app.get('/limited', honoLimit({ limiter: limited, key }), (c) => c.text('ok'))
  app.get('/hold', honoLimit({ limiter: held, key }), async (c) =>
    c.text(await answer(c.req.url.split('?')[1])),
  )
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise<void>((resolve) => server.once('listening', () => resolve()))
  close = () => {
    ;(server as Server).closeAllConnections()
    server.close()
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** How many permits of a user are free. */
async function free(user: string): Promise<number> {
  return (await slots().peek(user, 0)).remaining
}

async function stop(): Promise<void> {
  await close()
  await caches.close()
}

export const worker = { start, listen, free, stop }
