/** A server with express-session on a store of Larder, for one handler, and what a client is answered. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ExpressStore, expressStore } from '@larder/plugins/sessions/express'
import express, { type RequestHandler } from 'express'
import session from 'express-session'
import { onTestFinished } from 'vitest'
import { openSessions, type Place, type Stage, type Visit } from './stage.ts'

export interface Answer {
  readonly status: number
  readonly body: string
  /** The lines of Set-Cookie. */
  readonly lines: readonly string[]
  /** What the client sends from now on, where it was told. */
  readonly cookie: string | undefined
}

export interface Asked {
  readonly cookie?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export interface ExpressServer extends Stage {
  readonly store: ExpressStore<Visit>
  /** What was handed to Express as an error, also after the answer. */
  readonly errors: Error[]
  ask(path?: string, asked?: Asked): Promise<Answer>
}

export interface ExpressSetup {
  readonly place?: Place
  readonly options?: Partial<session.SessionOptions>
  /** Before the middleware. */
  readonly before?: RequestHandler
  readonly mountedAt?: string
  readonly stage?: Stage
}

export async function expressServer(
  handler: RequestHandler,
  { place = 'in process', options = {}, before, mountedAt = '/', stage }: ExpressSetup = {},
): Promise<ExpressServer> {
  const used = stage ?? openSessions(place)
  const store = expressStore(used.sessions)
  const errors: Error[] = []
  const app = express()
  if (before !== undefined) app.use(before)
  const middleware = session({
    store,
    genid: used.sessions.newId,
    secret: 'a secret',
    resave: false,
    saveUninitialized: true,
    name: 'sid',
    ...options,
  })
  app.use(mountedAt, middleware, handler)
  app.use(((error: Error, _req, res, next) => {
    errors.push(error)
    if (res.headersSent) next()
    else res.status(500).end(error.message)
  }) as express.ErrorRequestHandler)
  const server = app.listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async (path = '/', { cookie, headers = {} }: Asked = {}): Promise<Answer> => {
    const sent = cookie === undefined ? headers : { ...headers, cookie }
    const response = await fetch(url + path, { headers: sent })
    const lines = response.headers.getSetCookie()
    const given = lines.find((line) => /^(sid|connect\.sid)=/.test(line))
    return {
      status: response.status,
      body: await response.text(),
      lines,
      cookie: given?.split(';')[0],
    }
  }
  return { ...used, store, errors, ask }
}

/** Counts, and answers with the count. */
export const count: RequestHandler = (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1
  res.end(String(req.session.visits))
}
