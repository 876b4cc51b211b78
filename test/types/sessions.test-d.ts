/** Sessions as compilers see them: data is what it was said to be, everywhere. */

import type { CacheManager } from '@larder/core'
import { createSessions, type Session, type Sessions } from '@larder/plugins/sessions'
import { type ExpressStore, expressStore, login } from '@larder/plugins/sessions/express'
import { login as fastifyLogin, fastifyStore } from '@larder/plugins/sessions/fastify'
import { type HonoSession, honoSessions, type SessionEnv } from '@larder/plugins/sessions/hono'
import express from 'express'
import session from 'express-session'
import type { FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import { expectTypeOf } from 'vitest'

interface Visit {
  userId?: string
  visits: number
}

declare const caches: CacheManager
const sessions = createSessions<Visit>(caches, { userOf: (data) => data.userId })

expectTypeOf(sessions).toEqualTypeOf<Sessions<Visit>>()
expectTypeOf(sessions.get).returns.resolves.toEqualTypeOf<Session<Visit> | undefined>()
expectTypeOf(sessions.newId).returns.toBeString()
expectTypeOf(createSessions(caches)).toEqualTypeOf<Sessions<Record<string, unknown>>>()
void sessions.update('id', (data) => ({ ...data, visits: data.visits + 1 }))
void sessions.login(undefined, 7, { visits: 0 })
// @ts-expect-error: a session holds what it was said to hold
void sessions.save('id', { visits: 'many' })
// @ts-expect-error: and all of it
void sessions.create({})
// @ts-expect-error: data is an object
createSessions<string>(caches)
// @ts-expect-error: a name that is not an option
createSessions(caches, { ttl: '1h' })

expectTypeOf(expressStore(sessions)).toEqualTypeOf<ExpressStore<Visit>>()
const app = express()
app.use(session({ store: expressStore(sessions), genid: sessions.newId, secret: 's' }))
app.post('/', async (req) => login(req, 'ada'))

expectTypeOf(fastifyStore(sessions).sessions).toEqualTypeOf<Sessions<Visit>>()
declare const request: FastifyRequest
void fastifyLogin(sessions, request, 'ada')

const hono = new Hono<SessionEnv<Visit>>()
hono.use(honoSessions(sessions, { secrets: ['a secret of enough characters'] }))
hono.get('/', (c) => {
  expectTypeOf(c.var.session).toEqualTypeOf<HonoSession<Visit>>()
  expectTypeOf(c.var.session.data).toEqualTypeOf<Readonly<Visit> | undefined>()
  return c.body(null)
})
