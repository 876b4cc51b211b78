/** Users log in, see their own page and where they are logged in, and log out there, elsewhere or everywhere. */

import type { CacheManager } from '@larder/core'
import { httpCache } from '@larder/plugins/hono'
import { createSessions } from '@larder/plugins/sessions'
import { honoSessions, type SessionEnv } from '@larder/plugins/sessions/hono'
import { Hono } from 'hono'

/** What a session holds. */
interface Visit {
  userId: string
  device: string
}

export function makeUsers(caches: CacheManager, secret: string): Hono<SessionEnv<Visit>> {
  const sessions = createSessions<Visit>(caches, {
    idle: '30m',
    absolute: '12h',
    maxPerUser: 5,
    userOf: ({ userId }) => userId,
  })
  let rendered = 0
  const app = new Hono<SessionEnv<Visit>>()
  // Without HTTPS, as in this example, browsers would not take the usual cookie.
  app.use(honoSessions(sessions, { secrets: [secret], cookie: { name: 'sid', secure: false } }))

  // Where passwords would be checked.
  app.post('/login/:user', async (c) => {
    const userId = c.req.param('user')
    const device = c.req.header('user-agent') ?? 'unknown'
    await c.var.session.login(userId, { userId, device })
    return c.json({ hello: userId })
  })
  // A page of one user: a request with a cookie goes past the cache, and `private` keeps every response out of it.
  app.get('/me', httpCache({ caches, ttl: '5m' }), (c) => {
    rendered += 1
    c.header('Cache-Control', 'private')
    return c.json({ page: `of ${c.var.session.data?.userId ?? 'nobody'}`, rendered })
  })
  app.use(async (c, next) => {
    if (c.var.session.data === undefined) return c.json({ error: 'log in first' }, 401)
    await next()
    return undefined
  })
  app.get('/devices', async (c) => {
    const { id, data } = c.var.session
    const mine = await sessions.list(data?.userId ?? '')
    return c.json(mine.map((each) => ({ device: each.data.device, here: each.id === id })))
  })
  app.post('/logout', async (c) => {
    await c.var.session.destroy()
    return c.json({ ended: 1 })
  })
  app.post('/logout-elsewhere', async (c) => {
    const { id, data } = c.var.session
    return c.json({ ended: await sessions.destroyAll(data?.userId ?? '', { except: id }) })
  })
  app.post('/logout-everywhere', async (c) => {
    const { session } = c.var
    return c.json({ ended: await session.destroyAll(session.data?.userId ?? '') })
  })
  return app
}
