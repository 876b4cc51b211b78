/** The middleware for Hono: its cookie, its secrets, and what it refuses. */

import { InvalidOptionError } from '@larder/core'
import {
  type HonoSession,
  type HonoSessionsOptions,
  honoSessions,
  type SessionEnv,
} from '@larder/plugins/sessions/hono'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { openSessions, type Stage, type Visit } from './support/stage.ts'

const SECRETS = ['the first secret of this test', 'an older secret of this test']
const DAY_S = 86_400

function appOf(
  options: Partial<HonoSessionsOptions> = {},
  stage: Stage = openSessions('in process'),
) {
  const app = new Hono<SessionEnv<Visit>>()
  app.use(honoSessions(stage.sessions, { secrets: SECRETS, ...options }))
  app.get('/me', (c) => c.json(c.var.session.data ?? null))
  app.get('/raw', async (c) => {
    await c.var.session.save({ visits: 1 })
    return new Response('raw')
  })
  app.post('/login/:user', async (c) => {
    await c.var.session.login(c.req.param('user'), { userId: c.req.param('user') })
    return c.redirect('/me')
  })
  app.post('/fail', async (c) => {
    await c.var.session.login('ada')
    throw new Error('after the login')
  })
  app.post('/count', async (c) => {
    const data = await c.var.session.update(({ visits = 0, ...rest }) => ({
      ...rest,
      visits: visits + 1,
    }))
    return c.json(data ?? null)
  })
  app.post('/others', async (c) => {
    const { id, data } = c.var.session
    return c.json(await c.var.session.destroyAll(data?.userId ?? '', { except: id }))
  })
  app.post('/logout', async (c) => {
    await c.var.session.destroy()
    return c.body(null, 204)
  })
  app.onError((_, c) => c.text('failed', 500))
  const send = async (
    path: string,
    cookie = '',
    method = path === '/me' || path === '/raw' ? 'GET' : 'POST',
  ) => {
    const response = await app.request(path, { method, headers: cookie === '' ? {} : { cookie } })
    const [line = ''] = response.headers.getSetCookie()
    return { response, line, cookie: line.split(';')[0] ?? '' }
  }
  return { ...stage, send }
}

describe('the cookie', () => {
  it('is one that browsers take from this host over HTTPS only, and scripts do not see', async () => {
    const { send } = appOf()
    const { line, cookie } = await send('/login/ada')
    expect(line).toMatch(/^__Host-sid=u[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    expect(await (await send('/me', cookie)).response.json()).toEqual({ userId: 'ada' })
  })

  it('is set where a handler answers with a response of its own, and where it fails', async () => {
    const { send } = appOf()
    expect((await send('/raw')).line).toContain('__Host-sid=a')
    expect((await send('/fail')).line).toContain('__Host-sid=u')
  })

  it('is not set for a client without a session, nor again without need', async () => {
    const { send } = appOf()
    expect((await send('/me')).line).toBe('')
    const { cookie } = await send('/login/ada')
    expect((await send('/me', cookie)).line).toBe('')
  })

  it('is set again with each answer where the browser is told how long to keep it', async () => {
    const { send } = appOf({ cookie: { maxAge: DAY_S } })
    const { cookie } = await send('/login/ada')
    expect((await send('/me', cookie)).line).toContain(`Max-Age=${DAY_S}`)
  })

  it('is removed by a logout, and left alone where the session has ended elsewhere', async () => {
    const { send, sessions } = appOf()
    const { cookie } = await send('/login/ada')
    await sessions.destroyAll('ada')
    const ended = await send('/me', cookie)
    expect(await ended.response.json()).toBeNull()
    expect(ended.line).toBe('')
    const next = await send('/login/ada', cookie)
    expect((await send('/logout', next.cookie)).line).toMatch(/^__Host-sid=; Max-Age=0; Path=\//)
  })

  it('is read with an older secret, and refused with one that nobody has', async () => {
    const stage = openSessions('in process')
    const before = appOf({ secrets: [SECRETS[1] as string] }, stage)
    const { cookie } = await before.send('/login/ada')
    expect(await (await appOf({}, stage).send('/me', cookie)).response.json()).not.toBeNull()
    const after = appOf({ secrets: ['a secret that is another one'] }, stage)
    expect(await (await after.send('/me', cookie)).response.json()).toBeNull()
    const [name = '', value = ''] = cookie.split('=')
    const [id] = decodeURIComponent(value).split('.')
    expect(await (await after.send('/me', `${name}=${id}`)).response.json()).toBeNull()
  })
})

it.each([
  ['logins', (session: HonoSession<Visit>) => session.login('ada', { userId: 'ada' })],
  ['saves', (session: HonoSession<Visit>) => session.save({ userId: 'ada' })],
])('two %s of one request at once leave one session', async (_, begin) => {
  const { sessions } = openSessions('in process')
  const app = new Hono<SessionEnv<Visit>>()
  app.use(honoSessions(sessions, { secrets: SECRETS }))
  app.post('/', async (c) => {
    await Promise.all([begin(c.var.session), begin(c.var.session)])
    return c.text(c.var.session.id ?? '')
  })
  const response = await app.request('/', { method: 'POST' })
  const listed = await sessions.list('ada')
  expect(listed.map(({ id }) => id)).toEqual([await response.text()])
})

it('changes a session, and ends the others of its user', async () => {
  const { send } = appOf()
  expect(await (await send('/count')).response.json()).toBeNull()
  const [here, there] = [await send('/login/ada'), await send('/login/ada')]
  await send('/count', here.cookie)
  expect(await (await send('/count', here.cookie)).response.json()).toEqual({
    userId: 'ada',
    visits: 2,
  })
  expect(await (await send('/others', here.cookie)).response.json()).toBe(1)
  expect(await (await send('/me', there.cookie)).response.json()).toBeNull()
  expect(await (await send('/me', here.cookie)).response.json()).toMatchObject({ visits: 2 })
})

it.each<[string, object]>([
  ['honoSessions.secrets', { secrets: [] }],
  ['honoSessions.secrets', { secrets: ['short'] }],
  ['honoSessions.secrets', { secrets: 'one text that is long enough' }],
  ['honoSessions.secrets', { secrets: undefined }],
  ['honoSessions.cokie', { secrets: SECRETS, cokie: {} }],
  ['honoSessions.cookie.name', { secrets: SECRETS, cookie: { secure: false } }],
  ['honoSessions.cookie.name', { secrets: SECRETS, cookie: { path: '/a' } }],
  ['honoSessions.cookie.name', { secrets: SECRETS, cookie: { name: 'a b' } }],
  ['honoSessions.cookie.name', { secrets: SECRETS, cookie: { name: '__Secure-a', secure: false } }],
  ['honoSessions.cookie.sameSite', { secrets: SECRETS, cookie: { sameSite: 'lax' } }],
  [
    'honoSessions.cookie.sameSite',
    { secrets: SECRETS, cookie: { name: 'a', secure: false, sameSite: 'None' } },
  ],
  ['honoSessions.cookie.maxAge', { secrets: SECRETS, cookie: { maxAge: 0 } }],
  ['honoSessions.cookie.path', { secrets: SECRETS, cookie: { name: 'a', path: '/; Secure' } }],
  ['honoSessions.cookie.httpOnly', { secrets: SECRETS, cookie: { httpOnly: false } }],
])('refuses what is wrong in %s', (option, options) => {
  const { sessions } = openSessions('in process')
  const make = () => honoSessions(sessions, options as HonoSessionsOptions)
  expect(make).toThrow(InvalidOptionError)
  expect(make).toThrow(option)
  expect(make).not.toThrow(/one text that is long/)
})
