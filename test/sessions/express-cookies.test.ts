/** Which cookie express-session sets with our store, and where it sets none. */

import type { RequestHandler } from 'express'
import type { SessionOptions } from 'express-session'
import { describe, expect, it } from 'vitest'
import { type Asked, count, type ExpressSetup, expressServer } from './support/express-server.ts'
import { PLACES } from './support/stage.ts'

const HTTPS: Asked = { headers: { 'x-forwarded-proto': 'https' } }
const HTTP: Asked = { headers: { 'x-forwarded-proto': 'http' } }
/** As something before it that knows. */
const secureAs =
  (isSecure: boolean): RequestHandler =>
  (req, _, next) => {
    Object.defineProperty(req, 'secure', { value: isSecure, configurable: true })
    next()
  }

async function lineOf(
  options: Partial<SessionOptions>,
  asked: Asked & { readonly path?: string } = {},
  setup: ExpressSetup = {},
): Promise<string | undefined> {
  const server = await expressServer(visits, { ...setup, options })
  const { status, lines } = await server.ask(asked.path, asked)
  expect(status).toBe(200)
  expect(lines.length).toBeLessThanOrEqual(1)
  return lines[0]
}

const SECURE = { cookie: { secure: true } } as const
/** Outside of the path of a cookie there is no session. */
const visits: RequestHandler = (req, res, next) =>
  req.session === undefined ? void res.end() : count(req, res, next)

const AUTO = { cookie: { secure: 'auto' } } as const
const SAME_SITE = { cookie: { sameSite: 'auto' } } as const

it.each([
  ['trusts what a proxy says', { ...SECURE, proxy: true }, HTTPS, undefined, true],
  [
    'takes the first of several',
    { ...SECURE, proxy: true },
    { headers: { 'x-forwarded-proto': 'https,http' } },
    undefined,
    true,
  ],
  ['is not set where the proxy says nothing', { ...SECURE, proxy: true }, {}, undefined, false],
  ['trusts no proxy where it is told so', { ...SECURE, proxy: false }, HTTPS, undefined, false],
  ['nor the request then', { ...SECURE, proxy: false }, HTTPS, true, false],
  ['trusts no proxy by default', SECURE, HTTPS, undefined, false],
  ['but what the request says', SECURE, HTTPS, true, true],
] as const)('a secure cookie %s', async (_, options, asked, secure, isSet) => {
  const setup = secure === undefined ? {} : { before: secureAs(secure) }
  expect((await lineOf(options, asked, setup)) !== undefined).toBe(isSet)
})

it.each([
  [{ ...AUTO, proxy: true }, HTTPS, undefined, /; Secure/, true],
  [{ ...AUTO, proxy: false }, HTTPS, undefined, /; Secure/, false],
  [AUTO, {}, true, /; Secure/, true],
  [AUTO, {}, false, /; Secure/, false],
  [SAME_SITE, {}, true, /; SameSite=None/, true],
  [SAME_SITE, {}, false, /; SameSite=Lax/, true],
  [{ ...SAME_SITE, proxy: true }, HTTPS, undefined, /; SameSite=None/, true],
  [{ ...SAME_SITE, proxy: true }, HTTP, undefined, /; SameSite=Lax/, true],
  [{ ...SAME_SITE, proxy: false }, HTTPS, undefined, /; SameSite=Lax/, true],
] as const)(
  'a cookie whose attributes follow the connection: %o, %o, %o',
  async (options, asked, secure, attribute, isThere) => {
    const setup = secure === undefined ? {} : { before: secureAs(secure) }
    const line = await lineOf(options as Partial<SessionOptions>, asked, setup)
    expect(attribute.test(line ?? '')).toBe(isThere)
  },
)

it.each([
  ['auto', true, [/; Secure/, /; SameSite=None/]],
  ['auto', false, [/; SameSite=Lax/]],
  [false, true, [/; SameSite=None/]],
  [false, false, [/; SameSite=Lax/]],
  [true, true, [/; Secure/, /; SameSite=None/]],
  [true, false, undefined],
] as const)(
  'sameSite auto with secure %s, on a connection that is secure: %s',
  async (secure, isSecure, attributes) => {
    const cookie = { secure, sameSite: 'auto' } as unknown as SessionOptions['cookie']
    const line = await lineOf(
      { cookie } as Partial<SessionOptions>,
      {},
      {
        before: secureAs(isSecure),
      },
    )
    if (attributes === undefined) expect(line).toBeUndefined()
    else {
      expect(/; Secure/.test(line ?? '')).toBe(attributes.length === 2)
      for (const attribute of attributes) expect(line).toMatch(attribute)
    }
  },
)

it.each([
  ['/', '/', false],
  ['/', '/foo/bar', true],
  ['/', '/foo/bar/baz', true],
  ['/foo', '/foo/bar', true],
  ['/foo', '/foo/foo/bar', false],
])('a cookie of the path /foo/bar, mounted at %s, for %s: %s', async (mountedAt, path, isSet) => {
  const line = await lineOf({ cookie: { path: '/foo/bar' } }, { path }, { mountedAt })
  expect(line !== undefined).toBe(isSet)
})

it('a cookie of a path is not set for a target that only looks like it', async () => {
  const before: RequestHandler = (req, _, next) => {
    req.headers.host = 'http://foo/bar'
    next()
  }
  expect(await lineOf({ cookie: { path: '/foo/bar' } }, {}, { before })).toBeUndefined()
})

it('options of the cookie can be made for each request', async () => {
  const cookie = (req: { readonly url: string }): object => ({
    path: '/',
    priority: 'high',
    httpOnly: req.url !== '/open',
  })
  const options = { cookie } as unknown as Partial<SessionOptions>
  expect(await lineOf(options)).toMatch(/; HttpOnly; Priority=High/)
  const open = await lineOf(options, { path: '/open' })
  expect(open).toMatch(/; Priority=High/)
  expect(open).not.toMatch(/HttpOnly/)
})

it.each([
  [{}, /^sid=s%3A[^;]+; Path=\/; HttpOnly$/],
  [{ cookie: { maxAge: 60_000 } }, /; Expires=\w+, /],
  [{ cookie: { httpOnly: false, priority: 'high' } }, /^[^;]+; Path=\/; Priority=High$/],
  [{ cookie: { partitioned: false } }, /HttpOnly$/],
  [{ cookie: { partitioned: true } }, /; Partitioned/],
] as const)('a cookie with %o', async (options, line) => {
  expect(await lineOf(options)).toMatch(line)
})

it('the cookie is called connect.sid, name is what it is called, and key is the old word for it', async () => {
  expect(await lineOf({ name: undefined })).toMatch(/^connect\.sid=/)
  expect(await lineOf({ name: 'sid' })).toMatch(/^sid=/)
  const old = { name: undefined, key: 'sid' } as Partial<SessionOptions>
  expect(await lineOf(old)).toMatch(/^sid=/)
})

describe.each(PLACES)('with sessions %s', (place) => {
  it('the cookie is set once where it ends with the browser', async () => {
    const { ask } = await expressServer(count, { place })
    const { cookie, lines } = await ask()
    expect(lines[0]).not.toMatch(/Expires/)
    const again = await ask('/', { cookie })
    expect([again.body, again.lines]).toEqual(['2', []])
  })

  it('the cookie is set only by requests that change the session, unless it is rolling', async () => {
    for (const rolling of [false, true]) {
      const options = { rolling, cookie: { maxAge: 60_000 } }
      const { ask } = await expressServer(
        (req, res, next) => (req.path === '/count' ? count(req, res, next) : void res.end()),
        { place, options },
      )
      const { cookie } = await ask('/count')
      expect((await ask('/', { cookie })).lines.length).toBe(rolling ? 1 : 0)
      expect((await ask('/count', { cookie })).lines.length).toBe(1)
    }
  })

  it.each([
    [{ saveUninitialized: false }, '/', 0],
    [{ saveUninitialized: true }, '/', 1],
    [{ saveUninitialized: false }, '/count', 1],
  ] as const)('a rolling cookie with %o for %s', async (saving, path, isSet) => {
    const server = await expressServer(
      (req, res, next) => (req.path === '/count' ? count(req, res, next) : void res.end()),
      { place, options: { ...saving, rolling: true, cookie: { maxAge: 60_000 } } },
    )
    expect((await server.ask(path)).lines.length).toBe(isSet)
    expect(Object.keys(await server.sessions.list('nobody'))).toEqual([])
  })

  it('originalMaxAge stays what it was, and the end moves with each use', async () => {
    const options = { cookie: { maxAge: 60_000 } }
    const { ask } = await expressServer(
      (req, res) => {
        const { originalMaxAge, maxAge } = req.session.cookie
        res.json({ originalMaxAge, maxAge })
      },
      { place, options },
    )
    const first = await ask()
    for (const answer of [first, await ask('/', first), await ask('/', first)]) {
      const { originalMaxAge, maxAge } = JSON.parse(answer.body)
      expect(originalMaxAge).toBeGreaterThan(50_000)
      expect(originalMaxAge).toBeLessThanOrEqual(60_000)
      expect(maxAge).toBeLessThanOrEqual(60_000)
      expect(maxAge).toBeGreaterThan(0)
    }
  })

  it('a handler changes how long the cookie lasts, and later requests go by that', async () => {
    const { ask } = await expressServer(
      (req, res) => {
        const { cookie } = req.session
        if (req.path === '/short') cookie.maxAge = 5_000
        if (req.path === '/long') cookie.maxAge = 3_000_000_000
        if (req.path === '/at') cookie.expires = new Date(Date.now() + 120_000)
        if (req.path === '/browser') cookie.expires = null
        res.json(cookie.expires === null ? null : (cookie.maxAge ?? null))
      },
      { place, options: { cookie: { maxAge: 60_000 }, rolling: true } },
    )
    const leftMs = (line = ''): number =>
      new Date(/Expires=([^;]+)/.exec(line)?.[1] ?? 0).getTime() - Date.now()
    const { cookie, lines } = await ask()
    expect(leftMs(lines[0])).toBeGreaterThan(30_000)
    const short = await ask('/short', { cookie })
    expect(leftMs(short.lines[0])).toBeLessThanOrEqual(5_000)
    const long = await ask('/long', { cookie })
    expect(leftMs(long.lines[0])).toBeGreaterThan(2_900_000_000)
    expect(Number((await ask('/', { cookie })).body)).toBeGreaterThan(60_000)
    const at = await ask('/at', { cookie })
    expect(leftMs(at.lines[0])).toBeGreaterThan(60_000)
    const browser = await ask('/browser', { cookie })
    expect(browser.lines[0]).not.toMatch(/Expires/)
    expect((await ask('/', { cookie })).body).toBe('null')
  })

  it('a session in the store has the cookie that its client was given', async () => {
    const { ask, store } = await expressServer((req, res) => void res.end(req.sessionID), {
      place,
      options: { cookie: { maxAge: 60_000 } },
    })
    const { body, lines } = await ask()
    const ends = await new Promise<string>((resolve, reject) => {
      store.get(body, (error, data) =>
        error ? reject(error) : resolve(new Date(data?.cookie.expires ?? 0).toUTCString()),
      )
    })
    const apartMs = Math.abs(
      new Date(ends).getTime() -
        new Date(/Expires=([^;]+)/.exec(lines[0] ?? '')?.[1] ?? 0).getTime(),
    )
    expect(apartMs).toBeLessThanOrEqual(30_000)
  })
})

it('an end that is no date is told, and the answer goes out', async () => {
  const { ask, errors } = await expressServer((_, res) => void res.end(), {
    options: { cookie: { expires: new Date(Number.NaN) } },
  })
  expect((await ask()).status).toBe(200)
  await expect
    .poll(() => errors.map(({ message }) => message))
    .toEqual(['option expires is invalid'])
})

it.each(['/before', '/with'])('cookies that a handler sets %s the head are kept', async (path) => {
  const { ask } = await expressServer((req, res) => {
    if (req.path === '/before') res.setHeader('Set-Cookie', 'other=1')
    else res.writeHead(200, { 'Set-Cookie': 'other=1' })
    res.end()
  })
  expect((await ask(path)).lines.map((line) => line.split('=')[0]).sort()).toEqual(['other', 'sid'])
})
