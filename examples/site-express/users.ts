/** Users log in, see their own page and where they are logged in, and log out there, elsewhere or everywhere. */

import type { CacheManager } from '@larder/core'
import { httpCache } from '@larder/plugins/express'
import { createSessions } from '@larder/plugins/sessions'
import { expressStore, login } from '@larder/plugins/sessions/express'
import { Router } from 'express'
import session from 'express-session'

/** What a session holds. */
interface Visit {
  userId?: string
  device?: string
}

declare module 'express-session' {
  interface SessionData {
    userId?: string
    device?: string
  }
}

export function makeUsers(caches: CacheManager, secret: string): Router {
  const sessions = createSessions<Visit>(caches, {
    idle: '30m',
    absolute: '12h',
    maxPerUser: 5,
    userOf: ({ userId }) => userId,
  })
  let rendered = 0
  const router = Router()
  router.use(
    session({
      store: expressStore(sessions),
      genid: sessions.newId,
      secret,
      resave: false,
      saveUninitialized: false,
      name: 'sid',
    }),
  )

  // Where passwords would be checked.
  router.post('/login/:user', async (req, res) => {
    await login(req, req.params.user)
    req.session.userId = req.params.user
    req.session.device = req.get('user-agent') ?? 'unknown'
    res.json({ hello: req.params.user })
  })
  // A page of one user: a request with a cookie goes past the cache, and `private` keeps every response out of it.
  router.get('/me', httpCache({ caches, ttl: '5m' }), (req, res) => {
    rendered += 1
    res.set('Cache-Control', 'private')
    res.json({ page: `of ${req.session.userId ?? 'nobody'}`, rendered })
  })
  router.use((req, res, next) => {
    if (req.session.userId === undefined) res.status(401).json({ error: 'log in first' })
    else next()
  })
  router.get('/devices', async (req, res) => {
    const mine = await sessions.list(req.session.userId ?? '')
    res.json(mine.map(({ id, data }) => ({ device: data.device, here: id === req.sessionID })))
  })
  router.post('/logout', (req, res, next) => {
    req.session.destroy((error: unknown) => (error ? next(error) : res.json({ ended: 1 })))
  })
  router.post('/logout-elsewhere', async (req, res) => {
    const ended = await sessions.destroyAll(req.session.userId ?? '', { except: req.sessionID })
    res.json({ ended })
  })
  router.post('/logout-everywhere', async (req, res) => {
    res.json({ ended: await sessions.destroyAll(req.session.userId ?? '') })
  })
  return router
}
