/** Handlers that write to a response of node:http in every way there is, and entries that somebody else has written. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type CacheManager, createCacheManager, InvalidOptionError } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { type HttpCacheOptions, httpCache } from '@larder/plugins/express'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../http-limits/support/frameworks.ts'
import { ask, keyOf, statusOf } from './support/ask.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

function startCaches(): CacheManager {
  const caches = createCacheManager({ namespace: 'node', local: lruStore(), default: false })
  onTestFinished(() => caches.close())
  return caches
}

async function start(handler: Handler, { before }: { before?: Handler } = {}) {
  const caches = startCaches()
  const app = express()
  if (before !== undefined)
    app.use((request, response, next) => {
      before(request, response)
      next()
    })
  app.use(httpCache<IncomingMessage>({ caches, maxBody: '64kb' }) as never)
  let calls = 0
  app.use((request, response) => {
    calls += 1
    handler(request, response)
  })
  const { port } = await listen(createServer(app as never))
  return { caches, port, calls: () => calls, get: (path = '/') => ask(port, { path }) }
}

const KEPT = { 'Cache-Control': 'max-age=60' }

describe('a handler', () => {
  it.each<readonly [string, Handler, string]>([
    [
      'that ends twice',
      (_, response) => {
        response.writeHead(200, KEPT)
        response.end('once')
        response.end('twice')
      },
      'once',
    ],
    [
      'with a head of pairs',
      (_, response) => {
        response.writeHead(200, 'Fine', [
          ['Cache-Control', 'max-age=60'],
          ['X-A', '1'],
        ] as never)
        response.end('pairs')
      },
      'pairs',
    ],
    [
      'with a flat head',
      (_, response) => {
        response.writeHead(200, ['Cache-Control', 'max-age=60', 'X-A', '1', 'X-A', '2'])
        response.end('flat')
      },
      'flat',
    ],
    [
      'that waits for its callbacks',
      (_, response) => {
        response.setHeader('Cache-Control', 'max-age=60')
        response.write('a', () =>
          response.write('b', 'utf8', () => response.end('c', () => undefined)),
        )
      },
      'abc',
    ],
    [
      'that writes another encoding',
      (_, response) => {
        response.setHeader('Cache-Control', 'max-age=60')
        response.write('6869', 'hex')
        response.end('IQ==', 'base64')
      },
      'hi!',
    ],
    [
      'that pipes a stream',
      (_, response) => {
        response.writeHead(200, KEPT)
        Readable.from(['a', 'b', 'c']).pipe(response)
      },
      'abc',
    ],
    [
      'with a pipeline',
      (_, response) => {
        response.writeHead(200, KEPT)
        void pipeline(Readable.from(['a', 'b', 'c']), response)
      },
      'abc',
    ],
    [
      'that flushes its head first',
      (_, response) => {
        response.writeHead(200, KEPT)
        response.flushHeaders()
        response.end('flushed')
      },
      'flushed',
    ],
    [
      'that ends with nothing',
      (_, response) => {
        response.writeHead(200, KEPT)
        response.end()
      },
      '',
    ],
  ])('%s is answered and kept whole', async (_, handler, body) => {
    const { get, calls } = await start(handler)
    expect([(await get()).body, (await get()).body]).toEqual([body, body])
    expect(calls()).toBe(1)
  })

  it('sees that its head is written, and its end', async () => {
    const seen: boolean[] = []
    const { get } = await start((_, response) => {
      seen.push(response.headersSent, response.writableEnded)
      response.writeHead(200, KEPT)
      seen.push(response.headersSent, response.writableEnded)
      response.end('b')
      seen.push(response.headersSent, response.writableEnded)
    })
    await get()
    expect(seen).toEqual([false, false, true, false, true, true])
  })

  it('with another length than it says is not kept', async () => {
    const { get, calls } = await start((_, response) => {
      response.writeHead(200, { ...KEPT, 'Content-Length': '2' })
      response.end('more')
    })
    await get().catch(() => undefined)
    await get().catch(() => undefined)
    expect(calls()).toBe(2)
  })

  it('that destroys the connection leaves nothing behind', async () => {
    let isFirst = true
    const { get } = await start((request, response) => {
      response.writeHead(200, KEPT)
      response.write('half')
      if (isFirst) request.socket.destroy()
      else response.end(' and half')
      isFirst = false
    })
    await expect(get()).rejects.toThrow()
    expect((await get()).body).toBe('half and half')
  })

  it('with a stream of events has them sent as they come', async () => {
    const { port, calls } = await start((_, response) => {
      response.writeHead(200, { ...KEPT, 'Content-Type': 'text/event-stream' })
      response.write('data: 1\n\n')
    })
    const first = await fetch(`http://127.0.0.1:${port}/`)
    const reader = first.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n')
    await reader?.cancel()
    expect(calls()).toBe(1)
  })
})

it('what stands before the cache compresses what is kept as it is', async () => {
  const { port, caches } = await start(
    (_, response) => {
      response.writeHead(200, { ...KEPT, 'Content-Type': 'text/plain' })
      response.end('plain '.repeat(100))
    },
    {
      before: (_, response) => {
        const gzip = createGzip()
        const { end } = response
        response.end = ((chunk: Buffer) => {
          response.removeHeader('Content-Length')
          response.setHeader('Content-Encoding', 'gzip')
          gzip.end(chunk)
          gzip
            .toArray()
            .then((parts) => end.call(response, Buffer.concat(parts), 'utf8', undefined as never))
          return response
        }) as never
      },
    },
  )
  for (let round = 0; round < 2; round += 1) {
    const response = await fetch(`http://127.0.0.1:${port}/`)
    expect([response.headers.get('content-encoding'), await response.text()]).toEqual([
      'gzip',
      'plain '.repeat(100),
    ])
  }
  for await (const [, value] of caches.cache<{ body: Uint8Array }>('http').entries())
    expect(Buffer.from(value.body).toString()).toMatch(/^plain plain/)
})

describe('an entry that somebody else has written', () => {
  const response = {
    kind: 'response',
    status: 200,
    reason: undefined,
    fields: [['X-A', 'b']],
    body: Buffer.from('forged'),
    at: Date.now(),
    freshMs: 60_000,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    initialAgeMs: 0,
    revalidateMs: 0,
    validators: {},
    vary: [],
    tags: [],
  }

  it.each<readonly [string, unknown]>([
    [
      'with a line break in a field',
      { ...response, fields: [['X-A', 'b\r\nSet-Cookie: sid=evil']] },
    ],
    ['with a line break in a name', { ...response, fields: [['X-A\r\nSet-Cookie', 'sid=evil']] }],
    ['with a line break in its reason', { ...response, reason: 'OK\r\nSet-Cookie: sid=evil' }],
    ['with a status that is none', { ...response, status: 99 }],
    ['with a body that is none', { ...response, body: 'text' }],
    ['with fields that are none', { ...response, fields: { a: 'b' } }],
    ['that is something else', { kind: 'other' }],
    ['that is a text', 'text'],
  ])('%s is not served, and the handler answers', async (_, forged) => {
    const { caches, get } = await start((_request, made) => {
      made.writeHead(200, KEPT)
      made.end('good')
    })
    await caches.cache('http').set(keyOf('127.0.0.1'), forged)
    const answer = await get()
    expect([answer.status, answer.body, answer.headers['set-cookie']]).toEqual([
      200,
      'good',
      undefined,
    ])
  })

  it('and is sound is served', async () => {
    const { caches, get } = await start((_request, made) => made.end('good'))
    await caches.cache('http').set(keyOf('127.0.0.1'), response)
    const answer = await get()
    expect([answer.body, statusOf(answer)]).toEqual(['forged', expect.stringContaining('hit')])
  })
})

describe('options', () => {
  it.each<readonly [string, unknown, RegExp]>([
    ['caches', {}, /caches takes a manager/],
    ['ttl', { ttl: 'soon' }, /httpCache\.ttl/],
    ['tll', { tll: '1m' }, /Did you mean ttl/],
    ['vary', { vary: ['*'] }, /vary\[0\]/],
    ['vary', { vary: ['Cookie'] }, /vary\[0\] .*cannot be among them/],
    ['vary', { vary: 'accept' }, /vary takes an array/],
    ['pass', { pass: ['Authorization'] }, /pass\[0\]/],
    ['query', { query: [''] }, /query\[0\]/],
    ['cookies', { cookies: ['a b'] }, /cookies\[0\]/],
    ['maxBody', { maxBody: '1gb' }, /maxBody takes at most 16 MB/],
    ['targets', { targets: ['Cache-Control'] }, /targets\[0\]/],
    ['tags', { tags: 'a' }, /tags/],
    ['skip', { skip: true }, /skip takes a function/],
    ['cacheStatus', { cacheStatus: 1 }, /cacheStatus/],
    ['revalidate', { revalidate: -1 }, /revalidate/],
  ])('%s: what it does not take is refused when it is defined', (name, options, message) => {
    const given = name === 'caches' ? options : { caches: startCaches(), ...(options as object) }
    const define = () => httpCache(given as HttpCacheOptions<never>)
    expect(define).toThrow(InvalidOptionError)
    expect(define).toThrow(message)
  })

  it('evict takes paths', async () => {
    const caches = startCaches()
    for (const path of ['a', 'http://a/b', 1, ['/a', '']])
      await expect(httpCache.evict(caches, path as never)).rejects.toThrow(/path takes a path/)
    await expect(httpCache.evict({} as never, '/a')).rejects.toThrow(/caches takes a manager/)
  })
})
