/** A small application on Express: users log in, see where they are logged in, and log out there, or everywhere. */

import type { CacheManager } from '@larder/core'
import { createSessions } from '@larder/plugins/sessions'
import { expressStore, login } from '@larder/plugins/sessions/express'
import express, { type Express } from 'express'
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

export function makeApp(caches: CacheManager, secret: string): Express {
  const sessions = createSessions<Visit>(caches, {
    idle: '30m',
    absolute: '12h',
    maxPerUser: 5,
    userOf: ({ userId }) => userId,
  })
  const app = express()
  app.use(
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
  app.post('/login/:user', async (req, res) => {
    await login(req, req.params.user)
    req.session.userId = req.params.user
    req.session.device = req.get('user-agent') ?? 'unknown'
    res.json({ hello: req.params.user })
  })
  app.use((req, res, next) => {
    if (req.session.userId === undefined) res.status(401).json({ error: 'log in first' })
    else next()
  })
  app.get('/devices', async (req, res) => {
    const mine = await sessions.list(req.session.userId ?? '')
    res.json(mine.map(({ id, data }) => ({ device: data.device, here: id === req.sessionID })))
  })
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error: unknown) => (error ? next(error) : res.json({ ended: 1 })))
  })
  app.post('/logout-elsewhere', async (req, res) => {
    const ended = await sessions.destroyAll(req.session.userId ?? '', { except: req.sessionID })
    res.json({ ended })
  })
  app.post('/logout-everywhere', async (req, res) => {
    res.json({ ended: await sessions.destroyAll(req.session.userId ?? '') })
  })
  return app
}
