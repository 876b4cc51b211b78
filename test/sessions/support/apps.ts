/** A small application with sessions, on real servers of each framework; all answer the same. */

import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { serve } from '@hono/node-server'
import type { Sessions } from '@larder/plugins/sessions'
import { login as expressLogin, expressStore } from '@larder/plugins/sessions/express'
import { login as fastifyLogin, fastifyStore } from '@larder/plugins/sessions/fastify'
import { honoSessions, type SessionEnv } from '@larder/plugins/sessions/hono'
import express from 'express'
import session from 'express-session'
import fastify from 'fastify'
import { Hono } from 'hono'
import { onTestFinished } from 'vitest'
import type { Visit } from './stage.ts'

declare module 'express-session' {
  interface SessionData {
    userId?: string | undefined
    visits?: number | undefined
  }
}
declare module 'fastify' {
  interface Session {
    userId?: string | undefined
    visits?: number | undefined
  }
}

/** Requests to `/slow…` stop here until a test lets them go on. */
export class Gate {
  #release: () => void = () => undefined
  #arrived = 0
  #opened = new Promise<void>((resolve) => {
    this.#release = resolve
  })

  get arrived(): number {
    return this.#arrived
  }

  pass(): Promise<void> {
    this.#arrived += 1
    return this.#opened
  }

  open(): void {
    this.#release()
  }
}

export interface App {
  readonly url: string
  readonly gate: Gate
}

export type StartApp = (sessions: Sessions<Visit>) => Promise<App>
const SECRET = 'a secret that is long enough, of 32 or more'

/**
 * `POST /login/:user`, `POST /logout`, `POST /logout-everywhere`, `GET /me`, `GET /visit` (counts), `GET /slow` (reads), `GET
 * /slow-visit` (counts, slowly).
 */
export const APPS: Readonly<Record<string, StartApp>> = {
  express: startExpress,
  fastify: startFastify,
  hono: startHono,
}

export async function startExpress(sessions: Sessions<Visit>): Promise<App> {
  const gate = new Gate()
  const app = express()
  const store = expressStore(sessions)
  app.use(
    session({
      store,
      genid: sessions.newId,
      secret: SECRET,
      resave: false,
      saveUninitialized: false,
      name: 'sid',
    }),
  )
  app.post('/login/:user', async (req, res) => {
    await expressLogin(req, req.params.user)
    req.session.userId = req.params.user
    res.json(req.session.userId)
  })
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error: unknown) => (error ? next(error) : res.json(null)))
  })
  app.post('/logout-everywhere', async (req, res) => {
    res.json(await sessions.destroyAll(req.session.userId ?? 'nobody'))
  })
  app.get('/me', (req, res) => void res.json(req.session.userId ?? null))
  app.get('/visit', (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1
    res.json(req.session.visits)
  })
  app.get('/slow', async (req, res) => {
    const { userId } = req.session
    await gate.pass()
    res.json(userId ?? null)
  })
  app.get('/slow-visit', async (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1
    await gate.pass()
    res.json(req.session.visits)
  })
  const server = app.listen(0)
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    gate.open()
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, gate }
}

export async function startFastify(sessions: Sessions<Visit>): Promise<App> {
  const gate = new Gate()
  const app = fastify({ forceCloseConnections: true })
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    store: fastifyStore(sessions),
    idGenerator: sessions.newId,
    secret: SECRET,
    cookieName: 'sid',
    cookie: { secure: false },
    saveUninitialized: false,
  })
  app.post<{ Params: { user: string } }>('/login/:user', async (request) => {
    await fastifyLogin(sessions, request, request.params.user)
    request.session.userId = request.params.user
    return JSON.stringify(request.session.userId)
  })
  app.post('/logout', async (request) => {
    await request.session.destroy()
    return 'null'
  })
  app.post('/logout-everywhere', async (request) =>
    JSON.stringify(await sessions.destroyAll(request.session.userId ?? 'nobody')),
  )
  app.get('/me', async ({ session }) => JSON.stringify(session.userId ?? null))
  app.get('/visit', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return JSON.stringify(session.visits)
  })
  app.get('/slow', async ({ session }) => {
    await gate.pass()
    return JSON.stringify(session.userId ?? null)
  })
  app.get('/slow-visit', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    await gate.pass()
    return JSON.stringify(session.visits)
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(async () => {
    gate.open()
    await app.close()
  })
  return { url, gate }
}

export async function startHono(sessions: Sessions<Visit>): Promise<App> {
  const gate = new Gate()
  const app = new Hono<SessionEnv<Visit>>()
  // Hono would print it.
  app.onError((_, c) => c.text('Something went wrong', 500))
  app.use(honoSessions(sessions, { secrets: [SECRET], cookie: { name: 'sid', secure: false } }))
  app.post('/login/:user', async (c) => {
    const userId = c.req.param('user')
    await c.var.session.login(userId, { userId })
    return c.json(userId)
  })
  app.post('/logout', async (c) => {
    await c.var.session.destroy()
    return c.json(null)
  })
  app.post('/logout-everywhere', async (c) =>
    c.json(await c.var.session.destroyAll(c.var.session.data?.userId ?? 'nobody')),
  )
  app.get('/me', (c) => c.json(c.var.session.data?.userId ?? null))
  const visit = async ({
    data = {},
    save,
  }: {
    data?: Readonly<Visit> | undefined
    save(data: Visit): Promise<boolean>
  }) => {
    const visits = (data.visits ?? 0) + 1
    await save({ ...data, visits })
    return visits
  }
  app.get('/visit', async (c) => {
    const { session } = c.var
    return c.json(await visit({ data: session.data, save: (data) => session.save(data) }))
  })
  app.get('/slow', async (c) => {
    const { data } = c.var.session
    await gate.pass()
    return c.json(data?.userId ?? null)
  })
  app.get('/slow-visit', async (c) => {
    const { session } = c.var
    const { data } = session
    await gate.pass()
    return c.json(await visit({ data, save: (next) => session.save(next) }))
  })
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
      resolve(started),
    )
  })
  onTestFinished(() => {
    gate.open()
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, gate }
}

/** A browser, as far as cookies are concerned. */
export class Browser {
  readonly #url: string
  readonly cookies = new Map<string, string>()

  constructor(url: string) {
    this.#url = url
  }

  /** Another window of the same browser, which has the same cookies now. */
  copy(url = this.#url): Browser {
    const copy = new Browser(url)
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return copy
  }

  async send(method: string, path: string): Promise<{ status: number; body: unknown }> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(this.#url + path, { method, headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    const text = await response.text()
    const isJson = response.ok && text !== ''
    return { status: response.status, body: isJson ? JSON.parse(text) : text }
  }

  async body(method: string, path: string): Promise<unknown> {
    return (await this.send(method, path)).body
  }
}
