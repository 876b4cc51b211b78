/** Real servers of each framework with one cache and one handler, which all render the same. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import type { CacheManager } from '@larder/core'
import { httpCache as expressCache, type HttpCacheOptions } from '@larder/plugins/express'
import { httpCache as fastifyCache } from '@larder/plugins/fastify'
import { httpCache as honoCache } from '@larder/plugins/hono'
import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import { type Context, Hono } from 'hono'
import { onTestFinished } from 'vitest'
import { listen } from '../../http-limits/support/frameworks.ts'

/** What a handler sees of a request. */
export interface Seen {
  readonly method: string
  /** With the query. */
  readonly path: string
  header(name: string): string | undefined
}

export interface Rendered {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

export type Render = (seen: Seen) => Rendered | Promise<Rendered>

/** Options in words that hold for all frameworks. */
export type AnyCache = Omit<HttpCacheOptions<object>, 'caches'>

export interface Framework {
  readonly name: string
  /** Starts a server; it ends with the test. `outer`: fields that are set before the cache is reached. */
  start(parts: {
    readonly caches: CacheManager
    readonly options?: AnyCache
    readonly render: Render
    readonly outer?: (seen: Seen) => Readonly<Record<string, string>>
  }): Promise<{ readonly url: string; readonly port: number }>
}

const seenByNode = (request: IncomingMessage): Seen => ({
  method: request.method ?? '',
  path: request.url ?? '',
  header: (name) => request.headers[name] as string | undefined,
})

function answerNode(response: ServerResponse, rendered: Rendered): void {
  response.statusCode = rendered.status ?? 200
  for (const [name, value] of Object.entries(rendered.headers ?? {}))
    response.setHeader(name, value as string)
  const body = rendered.body ?? ''
  // In two parts: not every handler writes all at once.
  response.write(body.slice(0, 1))
  response.end(body.slice(1))
}

function nodeFramework(
  name: string,
  make: () => { use(...middleware: readonly unknown[]): unknown },
): Framework {
  return {
    name,
    async start({ caches, options, render, outer }) {
      const app = make()
      if (outer !== undefined) {
        app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
          for (const [field, value] of Object.entries(outer(seenByNode(request))))
            response.setHeader(field, value)
          next()
        })
      }
      app.use(expressCache({ caches, ...options } as never))
      app.use((request: IncomingMessage, response: ServerResponse, next: (e: unknown) => void) => {
        Promise.resolve()
          .then(() => render(seenByNode(request)))
          .then((rendered) => answerNode(response, rendered))
          .catch(next)
      })
      // The error is expected; it would be printed.
      app.use((_: unknown, __: IncomingMessage, response: ServerResponse, ___: unknown) => {
        response.statusCode = 500
        response.end('failed')
      })
      return listen(createServer(app as never))
    },
  }
}

const fastifyFramework: Framework = {
  name: 'fastify 5',
  async start({ caches, options, render, outer }) {
    const app = fastify({ forceCloseConnections: true, exposeHeadRoutes: false })
    app.addHttpMethod('M-SEARCH', { hasBody: true })
    if (outer !== undefined) {
      app.addHook('onRequest', async (request, reply) => {
        reply.headers(outer(seenByNode(request.raw)))
      })
    }
    // Of any type and unread, as the other frameworks have them.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_, payload, done) => {
      payload.resume()
      payload.on('end', () => done(null, undefined))
    })
    app.route({
      method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'M-SEARCH'],
      url: '/*',
      preHandler: fastifyCache({ caches, ...options } as never),
      handler: async (request, reply) => {
        const rendered = await render({
          ...seenByNode(request.raw),
          header: (name) => request.headers[name] as string | undefined,
        })
        reply.code(rendered.status ?? 200).headers((rendered.headers ?? {}) as never)
        // Bytes: Fastify writes the type of a text in its own way.
        return reply.send(Buffer.from(rendered.body ?? ''))
      },
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const { port } = app.server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, port }
  },
}

const seenByHono = ({ req }: Context): Seen => {
  const { url } = req
  const path = url.slice(url.indexOf('/', url.indexOf('//') + 2))
  return { method: req.method, path, header: (name) => req.header(name) }
}

const honoFramework: Framework = {
  name: 'hono 4',
  async start({ caches, options, render, outer }) {
    const app = new Hono()
    app.onError((_, c) => c.text('failed', 500))
    if (outer !== undefined) {
      app.use(async (c, next) => {
        for (const [field, value] of Object.entries(outer(seenByHono(c)))) c.header(field, value)
        await next()
      })
    }
    app.use(honoCache({ caches, ...options } as never))
    app.all('*', async (c) => {
      const { status = 200, headers = {}, body = '' } = await render(seenByHono(c))
      const lines = Object.entries(headers).flatMap(([name, value]) =>
        [value].flat().map((each) => [name, each] as [string, string]),
      )
      // A response without content cannot have even an empty one.
      const content = [204, 205, 304].includes(status) ? null : body
      return new Response(content, { status, headers: lines })
    })
    const server = await new Promise<Server>((resolve) => {
      const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
        resolve(made as Server),
      )
    })
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, port }
  },
}

export const FRAMEWORKS: readonly Framework[] = [
  nodeFramework('express 5', () => express() as never),
  nodeFramework('express 4', () => express4() as never),
  nodeFramework('connect', () => connect() as never),
  fastifyFramework,
  honoFramework,
]
