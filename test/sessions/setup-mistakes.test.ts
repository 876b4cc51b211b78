/** What goes wrong in the setup of a framework, or half way through its login: it is said, and it leaves nothing behind. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { login as expressLogin, expressStore } from '@larder/plugins/sessions/express'
import { login as fastifyLogin, fastifyStore } from '@larder/plugins/sessions/fastify'
import { honoSessions } from '@larder/plugins/sessions/hono'
import express from 'express'
import session from 'express-session'
import fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import { APPS, Browser } from './support/apps.ts'
import { openSessions } from './support/stage.ts'

it.each(['makes an id of a form that is not taken', 'throws'])(
  'a genid that %s in a login is an error of that request',
  async (kind) => {
    const { sessions } = openSessions('in process')
    let isWrong = false
    const app = express()
    const genid = (): string => {
      if (!isWrong) return sessions.newId()
      if (kind === 'throws') throw new Error('no id')
      return 'an id of others'
    }
    const store = expressStore(sessions)
    app.use(
      session({ store, genid, secret: 'a', resave: false, saveUninitialized: false, name: 'sid' }),
    )
    app.get('/visit', (req, res) => {
      req.session.visits = 1
      res.json(1)
    })
    app.post('/login', async (req, res) => {
      await expressLogin(req, 'ada')
      res.json('ada')
    })
    app.use(((error, _req, res, _next) => {
      res.status(500).json({ error: (error as Error).message })
    }) as express.ErrorRequestHandler)
    const server = app.listen(0)
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const browser = new Browser(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await browser.send('GET', '/visit')
    isWrong = true
    const { status, body } = await browser.send('POST', '/login')
    expect(status).toBe(500)
    expect(body).toMatch(
      kind === 'throws' ? /no id/ : /session\.genid takes ids of sessions\.newId/,
    )
  },
)

it('a login of Fastify whose old session cannot be ended leaves the old one, and none of the user', async () => {
  const { sessions } = openSessions('in process')
  const store = fastifyStore(sessions)
  let canEnd = true
  const app = fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    store: {
      ...store,
      destroy: (id, callback) => {
        if (canEnd) store.destroy(id, callback)
        else setImmediate(callback, new Error('cannot be ended'))
      },
    },
    idGenerator: sessions.newId,
    secret: 'a secret that is long enough, of 32 or more',
    cookieName: 'sid',
    cookie: { secure: false },
    saveUninitialized: false,
  })
  app.get('/visit', async (request) => {
    request.session.visits = (request.session.visits ?? 0) + 1
    return JSON.stringify(request.session.visits)
  })
  app.post('/login', async (request) => {
    await fastifyLogin(sessions, request, 'ada')
    request.session.userId = 'ada'
    return '"ada"'
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => app.close())
  const browser = new Browser(url)
  await browser.send('GET', '/visit')
  canEnd = false
  expect((await browser.send('POST', '/login')).status).toBe(500)
  expect(await sessions.list('ada')).toEqual([])
  expect(await browser.body('GET', '/visit')).toBe(2)
  canEnd = true
  expect(await browser.body('POST', '/login')).toBe('ada')
  expect(await sessions.list('ada')).toHaveLength(1)
})

it.each(Object.entries(APPS))(
  '%s goes on with a session that was saved by a call that is no request',
  async (_, start) => {
    const { sessions } = openSessions('in process')
    const { url } = await start(sessions)
    const browser = new Browser(url)
    await browser.send('POST', '/login/ada')
    const [{ id } = { id: '' }] = await sessions.list('ada')
    await sessions.update(id, ({ userId }) => ({ userId, visits: 7 }))
    expect(await browser.body('GET', '/me')).toBe('ada')
    expect(await browser.body('GET', '/visit')).toBe(8)
    expect(await browser.body('GET', '/visit')).toBe(9)
  },
)

it('express gives such a session the cookie that new ones get', async () => {
  const { sessions } = openSessions('in process')
  const app = express()
  app.use(
    session({
      store: expressStore(sessions),
      genid: sessions.newId,
      secret: 'a',
      resave: false,
      saveUninitialized: false,
      rolling: true,
      name: 'sid',
      cookie: { sameSite: 'strict', maxAge: 60_000 },
    }),
  )
  app.post('/login', (req, res) => {
    req.session.userId = 'ada'
    res.json(null)
  })
  app.get('/me', (req, res) => void res.json(req.session.userId ?? null))
  const server = app.listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const login = await fetch(`${url}/login`, { method: 'POST' })
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  const [{ id } = { id: '' }] = await sessions.list('ada')
  await sessions.save(id, { userId: 'ada' })
  const answer = await fetch(`${url}/me`, { headers: { cookie } })
  expect(await answer.json()).toBe('ada')
  const given = answer.headers.get('set-cookie') ?? ''
  expect(given.startsWith(`${cookie};`)).toBe(true)
  expect(given).toMatch(/SameSite=Strict/)
  expect(given).toMatch(/Expires=/)
})

it('what is no sessions, or no request of the framework, is named', async () => {
  const { sessions } = openSessions('in process')
  await expect(fastifyLogin(undefined as never, {} as never, 'ada')).rejects.toThrow(
    /login\.sessions takes sessions of createSessions/,
  )
  for (const request of [undefined, {}, { session: {} }])
    await expect(fastifyLogin(sessions, request as never, 'ada')).rejects.toThrow(
      /login\.request takes a request behind @fastify\/session/,
    )
  for (const wrong of [undefined, {}, () => sessions])
    expect(() => honoSessions(wrong as never, { secrets: ['a secret of some length'] })).toThrow(
      /honoSessions\.sessions takes sessions of createSessions/,
    )
})
