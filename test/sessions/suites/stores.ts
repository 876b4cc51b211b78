/** The stores that the public suites are run against: each on sessions of its own, in one manager. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createSessions, type Sessions } from '@larder/plugins/sessions'
import { type ExpressStore, expressStore } from '@larder/plugins/sessions/express'
import { fastifyStore, type LarderFastifyStore } from '@larder/plugins/sessions/fastify'
import { redisStore } from '@larder/redis-store'

const { SUITE_REDIS: url, SUITE_IDS: ids } = process.env

const caches = createCacheManager({
  namespace: `suite-${process.pid}`,
  local: lruStore(),
  ...(url === undefined ? {} : { remote: redisStore({ url }) }),
  default: false,
})
let made = 0

/** Whether the suite's ids are those of `newId`, or its own. */
export const makesIds = ids === 'own'

function makeSessions(): Sessions<object> {
  made += 1
  return createSessions(caches, {
    name: `s${made}`,
    idle: '1d',
    touchEvery: 0,
    foreignIds: true,
    storeTimeout: '10s',
  })
}

export function makeExpressStore(): {
  readonly store: ExpressStore<object>
  readonly newId: () => string
} {
  const sessions = makeSessions()
  return { store: expressStore(sessions), newId: sessions.newId }
}

export function makeFastifyStore(): {
  readonly store: LarderFastifyStore<object>
  readonly newId: () => string
} {
  const sessions = makeSessions()
  return { store: fastifyStore(sessions), newId: sessions.newId }
}
