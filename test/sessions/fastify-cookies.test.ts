/** Which cookie @fastify/session sets with our store, and where it sets none. */

import type { FastifySessionOptions } from '@fastify/session'
import { expect, it } from 'vitest'
import { count, fastifyServer, SECRET } from './support/fastify-server.ts'

type Cookie = NonNullable<FastifySessionOptions['cookie']>

async function lineOf(
  cookie: Cookie,
  {
    proto,
    path = '/',
    ...options
  }: Partial<FastifySessionOptions> & {
    readonly proto?: string
    readonly path?: string
  } = {},
): Promise<string> {
  const { ask } = await fastifyServer(
    (request) => (request.session === null || request.session === undefined ? '' : count(request)),
    { options: { ...options, cookie } },
  )
  const answer = await ask(
    path,
    proto === undefined ? {} : { headers: { 'x-forwarded-proto': proto } },
  )
  expect(answer.status).toBe(200)
  return answer.line
}

it.each([
  [{ secure: true }, undefined, undefined],
  [{ secure: true }, 'http', undefined],
  [{ secure: true }, 'https', /^sid=[^;]+; Path=\/; HttpOnly; Secure/],
  [{ secure: false }, 'http', /^sid=[^;]+; Path=\/; HttpOnly$/],
  [{ secure: false }, 'https', /; HttpOnly$/],
  [{ secure: 'auto' }, 'https', /; Secure/],
  [{ secure: 'auto' }, 'http', /; HttpOnly; SameSite=Lax$/],
  [{ secure: 'auto', sameSite: 'none' }, 'http', /; SameSite=Lax$/],
  [{ secure: 'auto', sameSite: 'none' }, 'https', /; Secure; SameSite=None$/],
  [{ secure: true, partitioned: true }, 'https', /; Partitioned/],
  [{ secure: false, httpOnly: false }, undefined, /^sid=[^;]+; Path=\/$/],
  [{ secure: false, sameSite: 'strict' }, undefined, /; SameSite=Strict$/],
  [{ secure: false, sameSite: true }, undefined, /; SameSite=Strict$/],
  [{ secure: false, maxAge: 60_000 }, undefined, /; Expires=\w/],
  [{ secure: false, domain: 'shop.example' }, undefined, /; Domain=shop\.example/],
] as const)('a cookie of %o for a connection of %s', async (cookie, proto, expected) => {
  const line = await lineOf(cookie as Cookie, proto === undefined ? {} : { proto })
  if (expected === undefined) expect(line).toBe('')
  else expect(line).toMatch(expected)
})

it.each([
  ['/', '/', true],
  ['/check', '/check', true],
  ['/check', '/check/below', true],
  ['/check', '/checked', false],
  ['/check', '/', false],
  ['/check/', '/check/below', true],
])('a cookie of the path %s for %s: %s', async (path, asked, isSet) => {
  const line = await lineOf({ secure: false, path }, { path: asked })
  expect(line !== '').toBe(isSet)
  if (isSet) expect(line).toContain(`; Path=${path}`)
})

it('the cookie is called sessionId where nothing is said, and may have something before its value', async () => {
  expect(await lineOf({ secure: false }, { cookieName: undefined as never })).toMatch(/^sessionId=/)
  const options = { cookieName: 'connect.sid', cookiePrefix: 's:' } as const
  const { ask } = await fastifyServer(count, { options })
  const { cookie, line } = await ask()
  expect(line).toMatch(/^connect\.sid=s:/)
  expect((await ask('/', { cookie })).body).toBe('2')
})

it('a request changes what its own cookie is, and no other one', async () => {
  const { ask } = await fastifyServer(
    (request) => {
      const { session } = request
      if (request.url === '/short') session.options({ maxAge: 30_000 })
      if (request.url === '/open') session.cookie.secure = false
      if (request.url === '/secure') session.cookie.secure = true
      return count(request)
    },
    { options: { cookie: { secure: 'auto', maxAge: 3_600_000 } } },
  )
  const leftMs = (line: string): number =>
    new Date(/Expires=([^;]+)/.exec(line)?.[1] ?? 0).getTime() - Date.now()
  const short = await ask('/short')
  expect(leftMs(short.line)).toBeLessThanOrEqual(30_000)
  expect(leftMs((await ask('/', { cookie: short.cookie })).line)).toBeLessThanOrEqual(30_000)
  expect(leftMs((await ask('/')).line)).toBeGreaterThan(3_000_000)
  const headers = { 'x-forwarded-proto': 'https' }
  expect((await ask('/open', { headers })).line).not.toMatch(/; Secure/)
  expect((await ask('/secure', { headers })).line).toMatch(/; Secure/)
})

it('options that a request has set go on with a regenerated session', async () => {
  const { ask } = await fastifyServer(
    async (request) => {
      request.session.options({ maxAge: 30_000 })
      await request.session.regenerate()
      return count(request)
    },
    { options: { cookie: { secure: false, maxAge: 3_600_000 } } },
  )
  const { line } = await ask()
  const leftMs = new Date(/Expires=([^;]+)/.exec(line)?.[1] ?? 0).getTime() - Date.now()
  expect(leftMs).toBeLessThanOrEqual(30_000)
  expect(leftMs).toBeGreaterThan(0)
})

it('the cookie has an end only where it was given one', async () => {
  for (const cookie of [{ secure: false, maxAge: 60_000 }, { secure: false }] as Cookie[]) {
    const { ask } = await fastifyServer(
      ({ session }) => {
        session.visits = 1
        session.touch()
        return JSON.stringify([session.cookie.expires ?? null, session.cookie.originalMaxAge])
      },
      { options: { cookie } },
    )
    const { body, line } = await ask()
    const [expires, originalMaxAge] = JSON.parse(body)
    expect(expires !== null).toBe('maxAge' in cookie)
    expect(line.includes('Expires=')).toBe('maxAge' in cookie)
    if ('maxAge' in cookie) expect(originalMaxAge).toBe(60_000)
  }
})

it.each([
  ['no secret', undefined, /secret option is required/],
  ['bytes', Buffer.from(SECRET), /secret option is required/],
  ['a short secret', 'too short', /length 32 or greater/],
  ['an empty list', [], /at least one secret/],
  ['a signer that cannot sign', { unsign: () => ({ valid: true }) }, /secret option is required/],
  ['a signer that cannot read', { sign: (value: string) => value }, /secret option is required/],
])('%s is refused', async (_, secret, message) => {
  await expect(fastifyServer(count, { options: { secret: secret as never } })).rejects.toThrow(
    message,
  )
})

it.each([
  ['a list of several', [SECRET, 'another']],
  [
    'a signer',
    {
      sign: (value: string) => `${value}.me`,
      unsign: (text: string) => ({
        valid: text.endsWith('.me'),
        renew: false,
        value: text.slice(0, -3),
      }),
    },
  ],
])('%s is taken as a secret', async (_, secret) => {
  const { ask } = await fastifyServer(count, { options: { secret: secret as never } })
  const { cookie } = await ask()
  expect((await ask('/', { cookie })).body).toBe('2')
  expect((await ask('/', { cookie: `${cookie}x` })).body).toBe('1')
})

it.each(['sha256', 'sha512'])('a signature made by %s is read', async (algorithm) => {
  const { ask } = await fastifyServer(count, { options: { algorithm } as never })
  const { cookie } = await ask()
  expect((await ask('/', { cookie })).body).toBe('2')
})
