/** Entries that were written by somebody else, handlers that do what they should not, and clients that ask in odd ways. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { httpCache } from '@larder/plugins/express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../http-limits/support/frameworks.ts'
import { type Answer, ask, keyOf, statusOf } from './support/ask.ts'
import type { AnyCache } from './support/frameworks.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function start(handler: Handler, options: AnyCache = {}) {
  const caches: CacheManager = createCacheManager({
    namespace: 'hostile',
    local: lruStore(),
    default: false,
  })
  onTestFinished(() => caches.close())
  const middleware = httpCache({ caches, ttl: '1m', ...options } as never) as never as (
    request: IncomingMessage,
    response: ServerResponse,
    next: () => void,
  ) => void
  const { port } = await listen(
    createServer((request, response) =>
      middleware(request, response, () => handler(request, response)),
    ),
  )
  return {
    port,
    caches,
    get: (path = '/', headers = {}): Promise<Answer> => ask(port, { path, headers }),
  }
}

describe('an entry that somebody has written into the store', () => {
  const good = {
    kind: 'response',
    status: 200,
    reason: undefined,
    fields: [['X-Own', 'yes']],
    body: new Uint8Array([104, 105]),
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
  const written = async (entry: unknown) => {
    const { caches, get } = await start((_, response) => void response.end('rendered'), {
      advertiseTags: true,
    })
    const cache = caches.cache('http', {} as never)
    await cache.set(keyOf(''), entry as never)
    return get()
  }

  it('is served where it is sound', async () => {
    expect(await written(good)).toMatchObject({ body: 'hi', headers: { 'x-own': 'yes' } })
  })

  it.each([
    ['a line break in a field', { fields: [['X', 'a\r\nSet-Cookie: sid=1']] }],
    ['a line break in a name', { fields: [['X\r\nY', 'a']] }],
    ['a length of its own', { fields: [['Content-Length', '1']] }],
    ['a coding of the connection', { fields: [['Transfer-Encoding', 'chunked']] }],
    ['a cookie', { fields: [['Set-Cookie', 'sid=1']] }],
    ['fields that are no pairs', { fields: [[1, 2]] }],
    ['fields that are none', { fields: { length: 1 } }],
    ['a status that is none', { status: 999 }],
    ['a status without an end', { status: 101 }],
    ['a reason with a line break', { reason: 'OK\r\nX: y' }],
    ['a reason that is no text', { reason: { length: 2 } }],
    ['a body that is no bytes', { body: 'text' }],
    ['no body', { body: undefined }],
    ['variants that are none', { vary: [null] }],
    ['variants that are numbers', { vary: [1] }],
    ['tags that are none', { tags: [{}] }],
    ['no tags', { tags: null }],
    ['an age that is none', { initialAgeMs: -5 }],
    ['an age without an end', { at: Number.POSITIVE_INFINITY }],
    ['windows that are none', { staleIfErrorMs: 'x' }],
    ['validators that are none', { validators: { 'if-none-match': 5 } }],
    ['another kind', { kind: '__proto__' }],
  ])('is not served with %s', async (_, part) => {
    expect(await written({ ...good, ...part })).toMatchObject({ status: 200, body: 'rendered' })
  })

  it.each([null, 5, 'text', [], {}])('is not served where it is %j', async (entry) => {
    expect(await written(entry)).toMatchObject({ status: 200, body: 'rendered' })
  })
})

describe('a Cache-Control that is not well formed', () => {
  it.each([
    'public; private, max-age=60',
    'public; no-store, max-age=60',
    'private;max-age=60',
    'foo="bar, no-store, max-age=60',
    'max-age=60, foo="bar, private',
    'max-age=60, "no-store"',
    'max-age=60 no-store',
    'max-age=60, max-age=5',
    'max-age=-1',
    'max-age=1.5',
    'max-age=',
    'max-age=60s',
    'max-age=0x10',
    'max-age',
    's-maxage=x, max-age=60',
    '\tmax-age=60,\tPRIVATE',
    'max-age=60, private="x',
    'max-age=60 ,, ,no-store',
    'no-store="x", max-age=60',
  ])('keeps nothing: %s', async (value) => {
    let made = 0
    const { get } = await start((_, response) => {
      response.setHeader('Cache-Control', value)
      response.end(`${++made}`)
    })
    expect([(await get()).body, (await get()).body]).toEqual(['1', '2'])
  })
})

it.each(['thu, 18 Aug 2050 02:01:18 GMT', 'Thu, 18 AUG 2050 02:01:18 gMT'])(
  'an end in another case is one: %s',
  async (expires) => {
    const { get } = await start((_, response) => {
      response.setHeader('Expires', expires)
      response.end()
    })
    await get()
    expect(statusOf(await get())).toContain('hit')
  },
)

describe('a handler', () => {
  const one = (handler: Handler) => {
    let made = 0
    return start((request, response) => {
      response.setHeader('X-Made', `${++made}`)
      handler(request, response)
    })
  }

  it.each<[string, Handler]>([
    [
      'gives pairs to writeHead',
      (_, r) =>
        void (r as never as { writeHead(...a: unknown[]): ServerResponse })
          .writeHead(200, [
            ['X-A', '1'],
            ['Set-Cookie', 'sid=1'],
          ])
          .end('a'),
    ],
    [
      'gives a flat list to writeHead',
      (_, r) =>
        void (r as never as { writeHead(...a: unknown[]): ServerResponse })
          .writeHead(200, ['X-A', '1', 'Set-Cookie', 'sid=1'])
          .end('a'),
    ],
    [
      'gives an object and a reason to writeHead',
      (_, r) => void r.writeHead(200, 'Fine', { 'set-cookie': ['sid=1'] }).end('a'),
    ],
    [
      'sets a Map of fields',
      (_, r) => {
        r.setHeaders(new Map([['Set-Cookie', 'sid=1']]) as never)
        r.end('a')
      },
    ],
    [
      'appends a field',
      (_, r) => {
        r.appendHeader('Set-Cookie', 'sid=1')
        r.end('a')
      },
    ],
  ])('whose response sets a cookie is heard when it %s', async (_, handler) => {
    const { get } = await one(handler)
    const [a, b] = [await get(), await get()]
    expect([a.headers['x-made'], b.headers['x-made']]).toEqual(['1', '2'])
    expect([a.headers['set-cookie'], b.headers['set-cookie']]).toEqual([['sid=1'], ['sid=1']])
  })

  it.each<[string, Handler]>([
    [
      'sets it, as proxies do',
      (_, r) => {
        r.setHeader('Transfer-Encoding', 'chunked')
        r.write('a')
        r.end('b')
      },
    ],
    [
      'gives it to writeHead',
      (_, r) => void r.writeHead(200, { 'transfer-encoding': 'chunked' }).end('ab'),
    ],
  ])('whose response says how it is sent has one length: it %s', async (_, handler) => {
    const { get } = await one(handler)
    for (const answer of [await get(), await get()]) {
      expect(answer).toMatchObject({ status: 200, body: 'ab' })
      expect(answer.headers['transfer-encoding']).toBeUndefined()
      expect(answer.headers['x-made']).toBe('1')
    }
  })

  it.each<[string, Handler, string]>([
    [
      'ends twice',
      (_, r) => {
        r.end('a')
        r.end('b')
      },
      'a',
    ],
    [
      'writes after the end',
      (_, r) => {
        r.on('error', () => undefined)
        r.end('a')
        r.write('b', () => undefined)
      },
      'a',
    ],
    [
      'writes nothing',
      (_, r) => {
        r.end()
      },
      '',
    ],
    [
      'ends with null',
      (_, r) => {
        r.write('a')
        r.end(null)
      },
      'a',
    ],
    [
      'ends with a callback',
      (_, r) => {
        r.end(() => undefined)
      },
      '',
    ],
    [
      'writes hex',
      (_, r) => {
        r.write('61', 'hex')
        r.end('62', 'hex')
      },
      'ab',
    ],
    [
      'corks',
      (_, r) => {
        r.cork()
        r.write('a')
        r.uncork()
        r.end('b')
      },
      'ab',
    ],
    [
      'flushes first',
      (_, r) => {
        r.flushHeaders()
        r.end('a')
      },
      'a',
    ],
    [
      'says hints first',
      (_, r) => {
        r.writeEarlyHints({ link: '</a>; rel=preload' })
        r.end('a')
      },
      'a',
    ],
    [
      'processes first',
      (_, r) => {
        r.writeProcessing()
        r.end('a')
      },
      'a',
    ],
  ])('that %s is kept as any other', async (_, handler, body) => {
    const { get } = await one(handler)
    const [a, b] = [await get(), await get()]
    expect([a.body, b.body]).toEqual([body, body])
    expect(statusOf(b)).toContain('hit')
  })

  it('that calls back when all is sent is called back once', async () => {
    let calls = 0
    const { get } = await one(
      (_, r) =>
        void r.end('a', () => {
          calls += 1
        }),
    )
    await get()
    await get()
    expect(calls).toBe(1)
  })

  it.each<[string, Handler]>([
    [
      'breaks off',
      (_, r) => {
        r.write('half')
        r.destroy()
      },
    ],
    [
      'says more than it writes',
      (_, r) => {
        r.setHeader('Content-Length', '10')
        r.write('half')
        setImmediate(() => r.destroy())
      },
    ],
  ])('that %s has nothing kept', async (_, handler) => {
    let made = 0
    const { get } = await start((request, response) => {
      made += 1
      if (made === 1) handler(request, response)
      else response.end('whole')
    })
    await expect(get()).rejects.toThrow()
    expect((await get()).body).toBe('whole')
  })
})

describe('one connection', () => {
  it('carries requests of two users, one behind the other, and each has its own', async () => {
    const { port } = await start((request, response) => {
      response.setHeader('Cache-Control', request.headers.authorization ? 'private' : 'max-age=60')
      setImmediate(() => response.end(`[${request.headers.authorization ?? 'nobody'}]`))
    })
    const socket = connect(port, '127.0.0.1')
    const asked = ['alice', '', 'bob', '', 'alice'].map((user) => {
      const own = user === '' ? '' : `Authorization: ${user}\r\n`
      return `GET /a HTTP/1.1\r\nHost: h\r\n${own}\r\n`
    })
    socket.write(asked.join(''))
    socket.write('GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    await once(socket, 'close')
    expect(text.match(/\[\w+\]/g)).toEqual([
      '[alice]',
      '[nobody]',
      '[bob]',
      '[nobody]',
      '[alice]',
      '[nobody]',
    ])
  })

  it.each([
    '/a%00b',
    '/a%0d%0aSet-Cookie:x',
    '/a\\b',
    '/a;x=1',
    '/%2e%2e/a',
    '/./a',
    '//evil.example/a',
    '/a?',
    '/a?&',
    '/a??',
    '/a#x',
    '*',
    '/%',
    '/a%zz',
    '/é',
  ])('with the target %s changes nothing for others', async (target) => {
    const { port, get } = await start((request, response) => void response.end(request.url))
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      'latin1',
    )
    socket.resume()
    await once(socket, 'close')
    expect((await get('/a')).body).toBe('/a')
    expect((await get('/')).body).toBe('/')
  })
})
