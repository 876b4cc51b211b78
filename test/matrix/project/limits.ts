/** Limits in each framework: an application that lets a client ask once. */

import { strictEqual as equal } from 'node:assert'
import { createServer, type RequestListener } from 'node:http'
import { serve } from '@hono/node-server'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { rateLimit as expressLimit } from '@larder/plugins/express'
import { larder } from '@larder/plugins/fastify'
import { rateLimit as honoLimit } from '@larder/plugins/hono'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'

const caches = createCacheManager({ namespace: 'limits', local: lruStore(), default: false })
const once = (name: string) => caches.limiter({ name, limit: 1, per: '1h' })

async function isOnce(url: string, name: string): Promise<void> {
  const first = await fetch(url)
  equal(first.status, 200)
  equal(first.headers.get('ratelimit-policy'), `"${name}";q=1;w=3600`)
  const second = await fetch(url)
  equal(second.status, 429)
  equal(second.headers.get('content-type'), 'application/problem+json')
}

async function inExpress(): Promise<void> {
  const app = express()
  app.use(expressLimit({ limiter: once('express') }))
  app.get('/', (req, res) => void res.send(String(req.rateLimit?.remaining)))
  const server = createServer(app as RequestListener).listen(0)
  await isOnce(`http://127.0.0.1:${(server.address() as { port: number }).port}`, 'express')
  server.closeAllConnections()
  server.close()
}

async function inFastify(): Promise<void> {
  const app = fastify()
  await app.register(larder, { caches })
  const rateLimit = { name: 'fastify', limit: 1, per: '1h' } as const
  app.get('/', { config: { larder: { rateLimit } } }, async (request) => request.rateLimit)
  await isOnce(await app.listen({ port: 0, host: '127.0.0.1' }), 'fastify')
  await app.close()
}

async function inHono(): Promise<void> {
  const app = new Hono()
  app.use(honoLimit({ limiter: once('hono'), key: (c) => c.req.header('x-user') ?? 'nobody' }))
  app.get('/', (c) => c.text('ok'))
  await new Promise<void>((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      isOnce(`http://127.0.0.1:${port}`, 'hono')
        .then(() => void server.close(() => resolve()))
        .catch(reject)
    })
  })
}

async function main(): Promise<void> {
  await inExpress()
  await inFastify()
  await inHono()
  await caches.close()
  console.log('each lets a client ask once')
}

void main()
