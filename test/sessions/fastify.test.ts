/** What @fastify/session does with its store where the cases of its own suite take one that answers within the call. */

import fastifyCookie from '@fastify/cookie'
import fastifySession, { type FastifySessionOptions } from '@fastify/session'
import { fastifyStore, login } from '@larder/plugins/sessions/fastify'
import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSessions, PLACES, type Place, type Stage } from './support/stage.ts'

const SECRETS = [
  'the first secret of this test, 32 or more',
  'an older secret of this test, 32 or more',
] as const
const HOUR_MS = 3_600_000

async function open(
  place: Place,
  options: Partial<FastifySessionOptions> = {},
  stage: Stage = openSessions(place),
): Promise<Stage & { readonly app: FastifyInstance }> {
  const app = fastify()
  onTestFinished(() => app.close())
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    store: fastifyStore(stage.sessions),
    idGenerator: stage.sessions.newId,
    secret: [...SECRETS],
    cookie: { secure: false },
    saveUninitialized: false,
    ...options,
  })
  app.get('/me', async ({ session }) => ({
    userId: session.userId ?? null,
    visits: session.visits ?? 0,
  }))
  app.post('/visit', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  return { ...stage, app }
}

async function send(app: FastifyInstance, method: 'GET' | 'POST', url: string, cookie = '') {
  const response = await app.inject({ method, url, headers: { cookie } })
  const line = String(response.headers['set-cookie'] ?? '')
  return { response, line, cookie: line.split(';')[0] || cookie }
}

describe.each(PLACES)('with sessions %s', (place) => {
  it('saves at once where a handler says so', async () => {
    const { app, sessions } = await open(place)
    app.post('/save', async ({ session }) => {
      session.visits = 7
      await session.save()
      const saved = await sessions.get(session.sessionId)
      return { isSaved: session.isSaved(), visits: saved?.data.visits }
    })
    const { response } = await send(app, 'POST', '/save')
    expect(response.json()).toEqual({ isSaved: true, visits: 7 })
  })

  it('reads what an older secret has signed', async () => {
    const before = await open(place, { secret: SECRETS[1] })
    const { cookie } = await send(before.app, 'POST', '/visit')
    const after = await open(place, {}, before)
    expect((await send(after.app, 'GET', '/me', cookie)).response.json()).toMatchObject({
      visits: 1,
    })
  })

  it('keeps the fields that a regeneration is to keep, under another id, and ends the old one', async () => {
    const { app, sessions } = await open(place)
    app.post('/regenerate', async ({ session }) => {
      const before = session.sessionId
      await session.regenerate(['visits'])
      return { before }
    })
    const { cookie } = await send(app, 'POST', '/visit')
    const again = await send(app, 'POST', '/regenerate', cookie)
    expect(again.cookie).not.toBe(cookie)
    expect(await sessions.get(again.response.json().before)).toBeUndefined()
    expect((await send(app, 'GET', '/me', again.cookie)).response.json()).toMatchObject({
      visits: 1,
    })
  })

  it('reads a session for code that has nothing but its cookie', async () => {
    const { app } = await open(place)
    const { cookie } = await send(app, 'POST', '/visit')
    const value = decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
    const request: { session?: { visits?: number } } = {}
    await new Promise<void>((resolve, reject) => {
      app.decryptSession(value, request, (error?: unknown) => (error ? reject(error) : resolve()))
    })
    expect(request.session?.visits).toBe(1)
  })

  it('sends the cookie again with each use, or never where that is off', async () => {
    for (const rolling of [true, false]) {
      const { app } = await open(place, { rolling, cookie: { secure: false, maxAge: HOUR_MS } })
      const { cookie, line } = await send(app, 'POST', '/visit')
      expect(line).toMatch(/Expires=/)
      expect((await send(app, 'GET', '/me', cookie)).line !== '').toBe(rolling)
    }
  })

  it('says that ids have to be those of newId', async () => {
    const { app } = await open(place, { idGenerator: () => 'x'.repeat(32) })
    const { response } = await send(app, 'POST', '/visit')
    expect(response.statusCode).toBe(500)
    expect(response.json().message).toContain('sessions.newId')
    const stage = openSessions(place, { options: { foreignIds: true } })
    const foreign = await open(place, { idGenerator: () => 'x'.repeat(32) }, stage)
    foreign.app.post('/login', async (request) => login(stage.sessions, request, 'ada'))
    const answer = await send(foreign.app, 'POST', '/login')
    expect(answer.response.json().message).toContain(
      'fastifySession.idGenerator takes sessions.newId',
    )
  })
})
