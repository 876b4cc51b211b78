/** Fastify with @fastify/session on a store of Larder, and what a client is answered. */

import fastifyCookie from '@fastify/cookie'
import fastifySession, { type FastifySessionOptions } from '@fastify/session'
import { fastifyStore, type LarderFastifyStore } from '@larder/plugins/sessions/fastify'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { onTestFinished } from 'vitest'
import { openSessions, type Place, type Stage, type Visit } from './stage.ts'

export const SECRET = 'a secret that is long enough, of 32 or more'

export interface FastifyAnswer {
  readonly status: number
  readonly body: string
  /** The line of Set-Cookie. */
  readonly line: string
  /** What the client sends from now on. */
  readonly cookie: string
}

export interface FastifyServer extends Stage {
  readonly app: FastifyInstance
  readonly store: LarderFastifyStore<Visit>
  ask(
    url?: string,
    asked?: { readonly cookie?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<FastifyAnswer>
}

export interface FastifySetup {
  readonly place?: Place
  readonly options?: Partial<FastifySessionOptions>
  readonly stage?: Stage
  readonly trustProxy?: boolean
}

export async function fastifyServer(
  handler: (request: FastifyRequest, reply: FastifyReply) => unknown,
  { place = 'in process', options = {}, stage, trustProxy = true }: FastifySetup = {},
): Promise<FastifyServer> {
  const used = stage ?? openSessions(place)
  const store = fastifyStore(used.sessions)
  const app = fastify({ trustProxy })
  onTestFinished(() => app.close())
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    store,
    idGenerator: used.sessions.newId,
    secret: SECRET,
    cookieName: 'sid',
    cookie: { secure: false },
    ...options,
  })
  app.all('/*', async (request, reply) => handler(request, reply))
  const ask: FastifyServer['ask'] = async (url = '/', { cookie = '', headers = {} } = {}) => {
    const response = await app.inject({
      method: 'GET',
      url,
      headers: cookie === '' ? headers : { ...headers, cookie },
    })
    const line = String(response.headers['set-cookie'] ?? '')
    return {
      status: response.statusCode,
      body: response.body,
      line,
      cookie: line.split(';')[0] || cookie,
    }
  }
  return { ...used, app, store, ask }
}

/** Counts, and answers with the count. */
export const count = ({ session }: FastifyRequest): string => {
  session.visits = (session.visits ?? 0) + 1
  return String(session.visits)
}
