/** Real servers of each framework, which all answer the same. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { serve } from '@hono/node-server'
import { rateLimit as expressLimit } from '@larder/plugins/express'
import { larder } from '@larder/plugins/fastify'
import { rateLimit as honoLimit } from '@larder/plugins/hono'
import type { RateLimitOptions } from '@larder/plugins/http'
import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import { type Context, Hono } from 'hono'
import { onTestFinished } from 'vitest'
import { Handler } from './handler.ts'

/** What tests ask of a request of any framework. */
export interface AnyRequest {
  header(name: string): string | undefined
  readonly path: string
}

/** Options of limits in words that hold for all frameworks. */
export type AnyLimit = RateLimitOptions<AnyRequest>

export interface RunningServer {
  readonly url: string
  readonly port: number
  readonly handler: Handler
}

export interface Framework {
  readonly name: string
  /** Starts a server whose requests meet these limits, one after the other. It ends with the test. */
  start(...limits: readonly AnyLimit[]): Promise<RunningServer>
}

type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

const nodeRequest = (request: object): AnyRequest => {
  const { headers, url = '' } = request as IncomingMessage
  return { path: url, header: (name) => headers[name] as string | undefined }
}
const honoRequest = (c: object): AnyRequest => {
  const { req } = c as Context
  return { path: req.path, header: (name) => req.header(name) }
}

/** The same options for the requests of a framework. */
function translated<Request extends object>(
  { limiter, limits, key, cost, skip, refundIf, problem, partitionKey, ...rest }: AnyLimit,
  of: (request: Request) => AnyRequest,
): RateLimitOptions<Request> {
  const under = <Args extends readonly unknown[], Result>(
    call: ((...args: Args) => Result) | undefined,
    at: number,
  ) =>
    typeof call === 'function'
      ? (...args: readonly unknown[]) => call(...(args.with(at, of(args[at] as Request)) as never))
      : call
  const one = (limit: object): object => {
    const said = limit as { limiter: unknown; key: never; cost: never }
    return { limiter: said.limiter, key: under(said.key, 0), cost: under(said.cost, 0) }
  }
  const whose = limits === undefined ? one({ limiter, key, cost }) : { limits: limits.map(one) }
  const how = { skip: under(skip, 0), refundIf: under(refundIf, 1), problem: under(problem, 1) }
  return {
    ...rest,
    ...whose,
    ...how,
    partitionKey: typeof partitionKey === 'function' ? under(partitionKey, 0) : partitionKey,
  } as unknown as RateLimitOptions<Request>
}

async function answerNode(
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
): Promise<void> {
  const outcome = await handler.handle(request.url ?? '')
  if (outcome.kind === 'unknown') return next()
  if (outcome.kind === 'stream') return void outcome.body.pipe(response)
  response.statusCode = outcome.status
  response.end(outcome.body)
}

export async function listen(server: Server): Promise<{ url: string; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port }
}

function nodeFramework(
  name: string,
  make: () => { use(middleware: NodeMiddleware): unknown },
): Framework {
  return {
    name,
    async start(...limits) {
      const handler = new Handler()
      const app = make()
      for (const limit of limits) app.use(expressLimit(translated(limit, nodeRequest)))
      app.use((request, response, next) => {
        answerNode(handler, request, response, next).catch(next)
      })
      return { ...(await listen(createServer(app as never))), handler }
    },
  }
}

const fastifyFramework: Framework = {
  name: 'fastify 5',
  async start(...limits) {
    const handler = new Handler()
    const app = fastify({ forceCloseConnections: true })
    for (const limit of limits)
      await app.register(larder, { rateLimit: translated(limit, nodeRequest) })
    for (const path of ['/ok', '/throw', '/status/:status', '/hold/:name', '/stream/:name']) {
      app.all(path, async (request, reply) => {
        const outcome = await handler.handle(request.url)
        if (outcome.kind === 'unknown') return reply.callNotFound()
        if (outcome.kind === 'stream') return reply.send(outcome.body)
        return reply.code(outcome.status).send(outcome.body)
      })
    }
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const { port } = app.server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, port, handler }
  },
}

const honoFramework: Framework = {
  name: 'hono 4',
  async start(...limits) {
    const handler = new Handler()
    const app = new Hono()
    app.onError((_, c) => c.text('failed', 500))
    for (const limit of limits) app.use(honoLimit(translated(limit, honoRequest)))
    app.all('*', async (c) => {
      const outcome = await handler.handle(c.req.path)
      if (outcome.kind === 'unknown') return c.notFound()
      if (outcome.kind === 'stream')
        return new Response(Readable.toWeb(outcome.body) as ReadableStream)
      // Of its own, which is what loses fields that were set before.
      return new Response(outcome.body, { status: outcome.status })
    })
    const listening = new Promise<Server>((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
        resolve(server as Server),
      )
    })
    const server = await listening
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, port, handler }
  },
}

export const EXPRESSES: readonly Framework[] = [
  nodeFramework('express 5', () => express() as never),
  nodeFramework('express 4', () => express4() as never),
]

export const FRAMEWORKS: readonly Framework[] = [
  ...EXPRESSES,
  nodeFramework('connect', () => connect() as never),
  fastifyFramework,
  honoFramework,
]
