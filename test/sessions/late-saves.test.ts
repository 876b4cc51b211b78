/** Requests that are slower than others of the same session: what they did not change, they do not write; what has ended, they leave. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { INTERNALS } from '@larder/core/store'
import { expressStore } from '@larder/plugins/sessions/express'
import { honoSessions, type SessionEnv } from '@larder/plugins/sessions/hono'
import express from 'express'
import session from 'express-session'
import { Hono } from 'hono'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { APPS, type App, Browser, Gate } from './support/apps.ts'
import { openSessions, PLACES, type Stage, type Visit } from './support/stage.ts'

/** With `resave`, express-session saves with every request, as @fastify/session does. */
async function startResaving({ sessions }: Stage): Promise<App> {
  const gate = new Gate()
  const app = express()
  app.use(
    session({
      store: expressStore(sessions),
      genid: sessions.newId,
      secret: 'secret',
      resave: true,
      saveUninitialized: false,
      name: 'sid',
    }),
  )
  app.post('/login/:user', (req, res) => {
    req.session.userId = req.params.user
    res.json(null)
  })
  app.get('/visit', (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1
    res.json(req.session.visits)
  })
  app.get('/slow', async (req, res) => {
    await gate.pass()
    res.json(req.session.userId)
  })
  const server = app.listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    gate.open()
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, gate }
}

const SERVERS: Readonly<Record<string, (stage: Stage) => Promise<App>>> = {
  ...Object.fromEntries(
    Object.entries(APPS).map(([name, start]) => [name, ({ sessions }: Stage) => start(sessions)]),
  ),
  'express with resave': startResaving,
}

describe.each(PLACES)('with sessions %s', (place) => {
  it.each(Object.entries(SERVERS))(
    '%s: a slow request that only reads takes nothing back from a faster one',
    async (_, start) => {
      const stage = openSessions(place)
      const { url, gate } = await start(stage)
      const browser = new Browser(url)
      await browser.send('POST', '/login/ada')
      const slow = Array.from({ length: 5 }, () => browser.copy().send('GET', '/slow'))
      await eventually('all requests are in their handlers', () => gate.arrived === 5)
      expect(await browser.body('GET', '/visit')).toBe(1)
      expect(await browser.body('GET', '/visit')).toBe(2)
      gate.open()
      for (const { status } of await Promise.all(slow)) expect(status).toBe(200)
      expect((await stage.sessions.list('ada'))[0]?.data.visits).toBe(2)
    },
  )

  it('a request of Hono whose session ended begins no other one for its data', async () => {
    const { sessions } = openSessions(place)
    const app = new Hono<SessionEnv<Visit>>()
    app.use(
      honoSessions(sessions, {
        secrets: ['a secret that is long enough'],
        cookie: { name: 'sid', secure: false },
      }),
    )
    app.post('/login', async (c) => {
      await c.var.session.login('ada', { userId: 'ada' })
      return c.body(null, 204)
    })
    app.get('/ended/:by', async (c) => {
      const { session } = c.var
      const { data } = session
      await sessions.destroyAll('ada')
      if (c.req.param('by') === 'update') await session.update((before) => before)
      return c.json([
        await session.save({ ...data, visits: 1 }),
        await session.save({ ...data, visits: 2 }),
        session.id ?? null,
      ])
    })
    app.get('/after-logout', async (c) => {
      await c.var.session.destroy()
      return c.json(await c.var.session.save({ visits: 0 }))
    })
    const login = async () =>
      (await app.request('/login', { method: 'POST' })).headers.get('set-cookie')?.split(';')[0]
    for (const by of ['save', 'update']) {
      const cookie = (await login()) ?? ''
      const answer = await app.request(`/ended/${by}`, { headers: { cookie } })
      expect(await answer.json()).toEqual([false, false, null])
      expect(answer.headers.get('set-cookie')).toBeNull()
      expect(await sessions.list('ada')).toEqual([])
    }
    const cookie = (await login()) ?? ''
    const answer = await app.request('/after-logout', { headers: { cookie } })
    expect(await answer.json()).toBe(true)
  })

  it('a cookie that became shorter shortens its session, and a longer one lengthens it', async () => {
    const { sessions } = openSessions(place, { options: { idle: '1d', touchEvery: 0 } })
    const store = expressStore(sessions)
    const call = (name: 'set' | 'touch') =>
      promisify((store[name] as (...args: unknown[]) => void).bind(store)) as unknown as (
        id: string,
        data: object,
      ) => Promise<void>
    const { calls } = sessions[INTERNALS]
    const id = sessions.newId()
    const leftMs = async (): Promise<number> => {
      const at = calls.parse(id)
      const found = at && (await calls.read(at, 0))
      return (found?.endsAt ?? 0) - (found?.now ?? 0)
    }
    const lasting = (seconds: number): object => ({
      cookie: {
        originalMaxAge: seconds * 1_000,
        expires: new Date(Date.now() + seconds * 1_000),
        path: '/',
      },
    })
    await call('set')(id, lasting(3_600))
    await call('touch')(id, lasting(60))
    expect(await leftMs()).toBeLessThanOrEqual(60_000)
    await call('touch')(id, lasting(7_200))
    expect(await leftMs()).toBeGreaterThan(3_600_000)
  })
})
