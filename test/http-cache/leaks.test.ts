/**
 * What is one user's must not reach another one, and what a stranger sends must not change what others get: each case on a real
 * server of each framework.
 */

import type { CacheManager } from '@larder/core'
import { createCacheManager } from '@larder/core'
import { ManualClock } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { type Answer, ask, statusOf } from './support/ask.ts'
import { type AnyCache, FRAMEWORKS, type Rendered, type Seen } from './support/frameworks.ts'

function startCaches(): CacheManager {
  const caches = createCacheManager({ namespace: 'leaks', local: lruStore(), default: false })
  onTestFinished(() => caches.close())
  return caches
}

/** A response that names everything about its request that it could see. */
const echo = ({ method, path, header }: Seen): Rendered => ({
  headers: { 'Cache-Control': 'max-age=60' },
  body: JSON.stringify({
    method,
    path,
    host: header('host'),
    cookie: header('cookie'),
    user: header('authorization'),
    language: header('accept-language'),
    forwarded: header('x-forwarded-host'),
    original: header('x-original-url'),
    override: header('x-http-method-override'),
  }),
})

describe.each(FRAMEWORKS)('$name', (framework) => {
  async function start(render: (seen: Seen) => Rendered | Promise<Rendered>, options?: AnyCache) {
    const renders: string[] = []
    const { port } = await framework.start({
      caches: startCaches(),
      ...(options === undefined ? {} : { options }),
      render: (seen) => {
        renders.push(seen.path)
        return render(seen)
      },
    })
    return { port, renders, get: (path: string, headers = {}) => ask(port, { path, headers }) }
  }

  it('keeps a response, and serves it to the next one with its age, its status, and its fields', async () => {
    const { get, renders } = await start(() => ({
      status: 404,
      headers: {
        'Cache-Control': 'max-age=60',
        'Content-Type': 'text/x-own',
        Link: ['<a>', '<b>'],
      },
      body: 'nothing here',
    }))
    const [first, second] = [await get('/a'), await get('/a')]
    expect(renders).toHaveLength(1)
    expect([first.status, second.status, second.body]).toEqual([404, 404, 'nothing here'])
    expect(second.headers).toMatchObject({
      'content-type': 'text/x-own',
      link: '<a>, <b>',
      age: '0',
      'content-length': '12',
    })
    expect([statusOf(first), statusOf(second)]).toEqual([
      'larder; fwd=uri-miss; stored',
      expect.stringMatching(/^larder; hit; ttl=(?:59|60)$/),
    ])
  })

  describe('one user’s response', () => {
    const privates: readonly (readonly [
      string,
      Readonly<Record<string, string | readonly string[]>>,
    ])[] = [
      ['private', { 'Cache-Control': 'private, max-age=60' }],
      ['Private in another case', { 'Cache-Control': 'Private, MAX-AGE=60' }],
      ['private with fields', { 'Cache-Control': 'max-age=60, private="x-user"' }],
      ['no-store', { 'Cache-Control': 'No-Store, max-age=60' }],
      ['no-store among others', { 'Cache-Control': ['max-age=60', 'no-store'] }],
      ['no-cache', { 'Cache-Control': 'max-age=60, no-cache' }],
      ['a cookie', { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'sid=1' }],
      [
        'two cookies',
        { 'Cache-Control': 'public, max-age=60', 'Set-Cookie': ['theme=1', 'sid=1'] },
      ],
      ['Vary: *', { 'Cache-Control': 'max-age=60', Vary: '*' }],
      ['Vary: Cookie', { 'Cache-Control': 'max-age=60', Vary: 'Cookie' }],
      ['Vary on what is not declared', { 'Cache-Control': 'max-age=60', Vary: 'X-User' }],
      ['targeted no-store', { 'Cache-Control': 'max-age=60', 'CDN-Cache-Control': 'no-store' }],
      ['nothing said', {}],
      ['an event stream', { 'Cache-Control': 'max-age=60', 'Content-Type': 'text/event-stream' }],
    ]

    it.each(privates)('is kept from others: %s', async (_, headers) => {
      let made = 0
      const { get } = await start(() => ({ headers, body: `user ${++made}` }))
      expect((await get('/me')).body).toBe('user 1')
      expect((await get('/me')).body).toBe('user 2')
    })

    it.each(privates)('is kept from a crowd that waits for it: %s', async (name, headers) => {
      const crowd = name === 'private' || name === 'a cookie' ? 100 : 20
      let made = 0
      const gate = deferred()
      const { get, renders } = await start(async () => {
        const own = ++made
        if (own === 1) await gate.promise
        return { headers, body: `user ${own}` }
      })
      const first = get('/me')
      await eventually('the first renders', () => renders.length === 1)
      const others = Array.from({ length: crowd }, () => get('/me'))
      gate.resolve()
      const bodies = (await Promise.all([first, ...others])).map(({ body }) => body)
      expect(new Set(bodies).size).toBe(crowd + 1)
    })

    it('with a cookie that does not matter is shared without it, and the leader gets it', async () => {
      const { get } = await start(
        () => ({
          headers: { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'seen=1; Path=/' },
          body: 'for all',
        }),
        { ignoreSetCookie: ['seen'] },
      )
      const [first, second] = [await get('/a'), await get('/a')]
      expect([first.headers['set-cookie'], second.headers['set-cookie']]).toEqual([
        ['seen=1; Path=/'],
        undefined,
      ])
      expect(statusOf(second)).toContain('hit')
    })
  })

  describe('what a handler may read', () => {
    it('tells responses apart, whether or not they say so', async () => {
      const { get, renders } = await start(echo, { vary: ['Accept-Language'] })
      const language = async (value?: string): Promise<unknown> =>
        JSON.parse(
          (await get('/page', value === undefined ? {} : { 'accept-language': value })).body,
        ).language
      for (let round = 0; round < 2; round += 1) {
        expect(await language('de')).toBe('de')
        expect(await language('fr')).toBe('fr')
        expect(await language()).toBeUndefined()
      }
      expect(renders).toHaveLength(3)
    })

    it('is not the host, by which something before the cache may have chosen a tenant: they are told apart', async () => {
      const { get, renders } = await start(echo)
      const hosts = ['a.example', 'b.example', 'A.example']
      for (const host of hosts)
        expect(JSON.parse((await get('/page', { host })).body).host ?? 'localhost').toBe(
          'localhost',
        )
      expect(renders).toHaveLength(2)
    })

    it('tells them apart from those of a version of the application that declared less', async () => {
      const caches = startCaches()
      const old = await framework.start({ caches, render: echo })
      const now = await framework.start({
        caches,
        options: { vary: ['accept-language'] },
        render: echo,
      })
      await ask(old.port, { path: '/page' })
      const answer = await ask(now.port, { path: '/page', headers: { 'accept-language': 'de' } })
      expect(JSON.parse(answer.body).language).toBe('de')
    })
  })

  describe('a request of a user', () => {
    it.each([
      ['a cookie', { cookie: 'sid=alice' }],
      ['Authorization', { authorization: 'Bearer alice' }],
    ])('with %s neither gets nor makes what is kept', async (_, headers) => {
      const { get } = await start(echo)
      const alice = await get('/page', headers)
      const stranger = await get('/page')
      const again = await get('/page', headers)
      expect(alice.body).toContain('alice')
      expect(stranger.body).not.toContain('alice')
      expect(again.body).toContain('alice')
      expect(statusOf(again)).toContain('fwd=bypass')
    })

    it('has those of its cookies that are keyed, and no others', async () => {
      const { get } = await start(echo, { cookies: ['locale'] })
      const cookie = (locale: string, user: string) => ({ cookie: `sid=${user}; locale=${locale}` })
      const [de, again, fr] = [
        await get('/page', cookie('de', 'alice')),
        await get('/page', cookie('de', 'bob')),
        await get('/page', cookie('fr', 'bob')),
      ]
      expect(JSON.parse(de.body).cookie).toBe('locale=de')
      expect([again.body, statusOf(again)]).toEqual([de.body, expect.stringContaining('hit')])
      expect(JSON.parse(fr.body).cookie).toBe('locale=fr')
    })

    it('with Authorization is shared only where route and response say so', async () => {
      const { get } = await start(
        ({ path, header }) => ({
          headers: { 'Cache-Control': path === '/open' ? 'public, max-age=60' : 'max-age=60' },
          body: `${header('authorization')}`,
        }),
        { authorized: true },
      )
      const as = (user: string) => ({ authorization: user })
      expect((await get('/open', as('alice'))).body).toBe('alice')
      expect((await get('/open', as('bob'))).body).toBe('alice')
      expect((await get('/closed', as('alice'))).body).toBe('alice')
      expect((await get('/closed', as('bob'))).body).toBe('bob')
    })

    it.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
      'with %s always runs its handler',
      async (method) => {
        const { port, get, renders } = await start(echo)
        await get('/page')
        const answer = await ask(port, { method, path: '/page' })
        expect(JSON.parse(answer.body).method).toBe(method)
        expect(renders).toHaveLength(2)
        await get('/page')
        expect(renders, 'and ends what was kept').toHaveLength(3)
      },
    )
  })

  describe('a stranger', () => {
    const attacks: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
      ['another host', '/page', { host: 'evil.example' }],
      ['X-Forwarded-Host', '/page', { 'x-forwarded-host': 'evil.example' }],
      ['X-Original-URL', '/page', { 'x-original-url': '/admin' }],
      ['a method override', '/page', { 'x-http-method-override': 'DELETE' }],
      ['a language that is not declared', '/page', { 'accept-language': 'evil' }],
      ['a long field that is not declared', '/page', { 'x-forwarded-host': 'e'.repeat(4_000) }],
    ]

    it.each(attacks)('changes nothing for others by %s', async (_, path, headers) => {
      const { get } = await start(echo)
      const attacked = await get(path, headers)
      const others = await get('/page')
      expect(others.body).not.toMatch(/evil|admin|DELETE|eeee/)
      // What is kept is what anybody gets.
      if (statusOf(others).includes('hit')) expect(others.body).toBe(attacked.body)
    })

    const paths: readonly (readonly [string, string])[] = [
      ['an absolute target', 'http://evil.example/page'],
      ['two slashes', '//page'],
      ['an encoded slash', '/%70age%2f'],
      ['dots', '/x/../page'],
      ['another case', '/PAGE'],
      ['a parameter that is not listed', '/page?utm_source=evil'],
      ['an empty query', '/page?'],
      ['a file that is none', '/page/x.css'],
    ]

    it.each(paths)('changes nothing for others by %s', async (_, path) => {
      const { get } = await start(echo)
      await get(path)
      expect(JSON.parse((await get('/page')).body).path).toBe('/page')
    })

    it.each([
      ['/a@b', '/a%40b'],
      ['/a%3ab', '/a:b'],
      ['/a%2Fb', '/a/b'],
      ['/%C3%A9', '/%c3%A9'],
    ])('keeps nothing by another form of a path: %s', async (kept, evicted) => {
      const { port, get, renders } = await start(echo)
      await get(kept)
      await ask(port, { method: 'PUT', path: evicted })
      await get(kept)
      expect(renders).toHaveLength(3)
    })

    it('ends no caching by values of a field that nobody sends any more', async () => {
      const clock = new ManualClock()
      const caches = createCacheManager({
        namespace: 'leaks',
        local: lruStore(),
        default: false,
        clock,
      })
      onTestFinished(() => caches.close())
      const { port } = await framework.start({
        caches,
        options: { vary: ['accept-language'] },
        render: echo,
      })
      const get = (language: string) =>
        ask(port, { path: '/page', headers: { 'accept-language': language } })
      for (let i = 0; i < 40; i += 1) await get(`evil${i}`)
      expect(statusOf(await get('de'))).toContain('detail=variants')
      clock.advance(61_000)
      await get('evil0')
      expect(statusOf(await get('de'))).toContain('stored')
      expect((await get('de')).headers.age).toBe('0')
    })

    it('gets no body of its own into a GET that others get', async () => {
      const { port, get } = await start(echo)
      const fat = await ask(port, {
        path: '/page',
        headers: { 'content-length': '4' },
        body: 'evil',
      })
      expect(statusOf(fat)).toContain('fwd=bypass')
      expect(statusOf(await get('/page'))).toContain('stored')
    })

    it('fills nothing with ten thousand queries', async () => {
      const { get, renders } = await start(echo, { query: ['page'] })
      const COUNT = 300
      for (let i = 0; i < COUNT; i += 1) await get(`/page?${Math.random()}=${i}`)
      expect(renders).toHaveLength(COUNT)
      expect(statusOf(await get('/page'))).toContain('stored')
      const twice = [await get('/page?page=2'), await get('/page?page=2')] as [Answer, Answer]
      expect(statusOf(twice[1])).toContain('hit')
    })

    it('fills nothing with values of a field that responses vary on', async () => {
      const { get } = await start(
        ({ header }) => ({
          headers: { 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' },
          body: `${header('accept-language')}`,
        }),
        { vary: ['accept-language'] },
      )
      const outcomes: string[] = []
      for (let i = 0; i < 50; i += 1) {
        const answer = await get('/page', { 'accept-language': `l${i}` })
        expect(answer.body).toBe(`l${i}`)
        outcomes.push(statusOf(answer))
      }
      const stored = outcomes.filter((status) => status.includes('stored'))
      expect(stored.length).toBeLessThanOrEqual(33)
      expect(outcomes.at(-1)).toBe('larder; fwd=bypass; detail=variants')
      expect((await get('/page', { 'accept-language': 'l3' })).body).toBe('l3')
    })

    it('has nothing made anew by what its request says', async () => {
      const { get, renders } = await start(echo)
      await get('/page')
      for (const value of ['no-cache', 'no-store', 'max-age=0'])
        await get('/page', { 'cache-control': value, pragma: 'no-cache' })
      expect(renders).toHaveLength(1)
    })
  })

  describe('fields', () => {
    it('of a request, set before the cache, go to that request alone', async () => {
      let made = 0
      const { port } = await framework.start({
        caches: startCaches(),
        outer: ({ header }) => ({
          'X-Request-Id': `${header('x-id')}`,
          'Content-Security-Policy': `script-src 'nonce-${header('x-id')}'`,
        }),
        render: () => ({ headers: { 'Cache-Control': 'max-age=60' }, body: `${++made}` }),
      })
      const answers = [
        await ask(port, { path: '/', headers: { 'x-id': 'one' } }),
        await ask(port, { path: '/', headers: { 'x-id': 'two' } }),
      ]
      expect(answers.map(({ body }) => body)).toEqual(['1', '1'])
      expect(answers.map(({ headers }) => headers['x-request-id'])).toEqual(['one', 'two'])
      expect(answers.map(({ headers }) => headers['content-security-policy'])).toEqual([
        "script-src 'nonce-one'",
        "script-src 'nonce-two'",
      ])
    })

    it.each(['before the cache', 'by the handler'])(
      'with a nonce in the page, set %s, are not kept',
      async (where) => {
        let made = 0
        const policy = () => ({
          'Content-Security-Policy': `script-src 'self' 'nonce-n0nce${made}=='`,
        })
        const { port } = await framework.start({
          caches: startCaches(),
          options: { ttl: '1m' },
          outer: () => {
            made += 1
            return where === 'before the cache' ? policy() : {}
          },
          render: () => ({
            headers: where === 'by the handler' ? policy() : {},
            body: `<script nonce="n0nce${made}==">`,
          }),
        })
        const bodies = [
          (await ask(port, { path: '/' })).body,
          (await ask(port, { path: '/' })).body,
        ]
        expect(bodies).toEqual(['<script nonce="n0nce1==">', '<script nonce="n0nce2==">'])
      },
    )

    it('that say for the whole application that nothing is kept hold for it', async () => {
      let made = 0
      const { port } = await framework.start({
        caches: startCaches(),
        options: { ttl: '1m' },
        outer: () => ({ 'Cache-Control': 'private, no-store' }),
        render: ({ path }) => ({
          headers: path === '/kept' ? { 'Cache-Control': 'max-age=60' } : {},
          body: `${++made}`,
        }),
      })
      const bodies = async (path: string) => [
        (await ask(port, { path })).body,
        (await ask(port, { path })).body,
      ]
      expect(await bodies('/page')).toEqual(['1', '2'])
      expect(await bodies('/kept')).toEqual(['3', '3'])
    })

    it('of the connection, and those it names, are not replayed', async () => {
      const { get } = await start(() => ({
        headers: {
          'Cache-Control': 'max-age=60',
          'Proxy-Authenticate': 'Basic',
          'Keep-Alive': 'timeout=99',
          'X-Kept': 'yes',
        },
        body: 'b',
      }))
      await get('/a')
      const hit = await get('/a')
      expect(hit.headers['proxy-authenticate']).toBeUndefined()
      expect(hit.headers['keep-alive']).not.toBe('timeout=99')
      expect(hit.headers['x-kept']).toBe('yes')
    })

    it('of this cache alone are not sent on', async () => {
      const { get } = await start(({ path }) => ({
        headers: { 'Larder-Cache-Control': path === '/a' ? 'max-age=60' : 'no-store' },
        body: 'b',
      }))
      for (const path of ['/a', '/a', '/b'])
        expect((await get(path)).headers['larder-cache-control'], path).toBeUndefined()
      expect(statusOf(await get('/a'))).toContain('hit')
    })
  })
})
