/**
 * R11 and R13 through HTTP: while the store is in trouble, every request is answered in time, never with a limit that nobody counted, and
 * what was counted without our learning of it stays counted.
 */

import { createCacheManager, type OnStoreError } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { ask } from './support/client.ts'
import { FRAMEWORKS } from './support/frameworks.ts'

/** A noisy machine may take this much; a request that hangs takes for ever. */
const ROOM_MS = 10_000

function managerOf(url: string) {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    local: lruStore(),
    remote: redisStore({ url, pingEvery: '200ms' }),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  return (onStoreError: OnStoreError, name = 'api') =>
    caches.limiter({ name, limit: 3, per: '1d', onStoreError })
}

async function start(): Promise<RedisServer> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return redis
}

/** Ways to be away: a server that hangs, one that is gone, and one that was never there. */
const OUTAGES: Readonly<
  Record<string, () => Promise<{ url: string; break: () => Promise<unknown> }>>
> = {
  'a server that hangs': async () => {
    const redis = await start()
    onTestFinished(() => redis.resume())
    return { url: redis.url, break: async () => redis.pause() }
  },
  'a server that is gone': async () => {
    const redis = await start()
    return { url: redis.url, break: () => redis.kill() }
  },
  'a server that never was there': async () => ({
    url: `redis://127.0.0.1:${await freePort()}`,
    break: async () => undefined,
  }),
}

describe.each(FRAMEWORKS)('$name', (framework) => {
  it.each(Object.keys(OUTAGES))(
    '%s: closed is 503, open lets pass, local counts here',
    async (name) => {
      const outage = await (OUTAGES[name] as NonNullable<(typeof OUTAGES)[string]>)()
      const limiterOf = managerOf(outage.url)
      const key = (): string => 'k'
      const servers = {
        closed: await framework.start({ limiter: limiterOf('closed'), key }),
        passing: await framework.start({
          limiter: limiterOf('closed'),
          key,
          onStoreError: 'open',
        }),
        open: await framework.start({ limiter: limiterOf('open'), key }),
        local: await framework.start({ limiter: limiterOf('local'), key }),
        one: await framework.start({
          limits: [
            { limiter: limiterOf('local', 'other'), key },
            { limiter: limiterOf('closed'), key },
          ],
        }),
      }
      await outage.break()
      const begun = performance.now()
      const closed = await ask(`${servers.closed.url}/ok`)
      expect(closed.status).toBe(503)
      expect(closed.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect(JSON.parse(closed.body)).toMatchObject({
        type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
        status: 503,
        'violated-policies': [],
      })
      expect(closed.limits).toEqual([])
      expect(servers.closed.handler.served).toEqual([])
      for (const { url } of [servers.passing, servers.open]) {
        for (let i = 0; i < 5; i++) {
          const answer = await ask(`${url}/ok`)
          expect(answer).toMatchObject({ status: 200, limits: [], policies: [] })
        }
      }
      const statuses: number[] = []
      for (let i = 0; i < 5; i++) statuses.push((await ask(`${servers.local.url}/ok`)).status)
      expect(statuses).toEqual([200, 200, 200, 429, 429])
      expect((await ask(`${servers.one.url}/ok`)).status).toBe(503)
      await eventually('the other is given back', async () => {
        return (await limiterOf('local', 'other').peek('k', 0)).remaining === 3
      })
      expect(performance.now() - begun).toBeLessThan(ROOM_MS)
    },
    60_000,
  )
})

describe.each(FRAMEWORKS)('R11: $name', (framework) => {
  it.each(['hang', 'reset'] as const)(
    'the reply is lost, and its connection: %s: what was counted stays counted',
    async (then) => {
      const redis = await start()
      const proxy = await startProxy(redis)
      onTestFinished(() => proxy.stop())
      const limiter = managerOf(proxy.url)('closed')
      const key = (): string => 'k'
      const cost = (): number => 2
      const closed = await framework.start({ limiter, key, cost })
      const open = await framework.start({ limiter, key, cost, onStoreError: 'open' })
      const untilDecided = () =>
        eventually('the store decides', async () => (await ask(`${closed.url}/ok`)).status !== 503)
      await untilDecided()
      for (const [server, status] of [
        [closed, 503],
        [open, 200],
      ] as const) {
        await limiter.reset('k')
        const match = ({ name }: { name: string }) => name.startsWith('EVAL')
        proxy.dropReplies({ match, then, times: 1 })
        expect(await ask(`${server.url}/ok`)).toMatchObject({ status, limits: [], policies: [] })
        await untilDecided()
        expect((await limiter.peek('k', 0)).remaining).toBe(1)
      }
    },
    60_000,
  )
})

it('recovers without a restart', async () => {
  const redis = await start()
  const limiter = managerOf(redis.url)('closed')
  const [framework] = FRAMEWORKS
  if (framework === undefined) throw new Error('there is one')
  const { url } = await framework.start({ limiter, key: () => 'k' })
  await eventually('the store decides', async () => (await ask(`${url}/ok`)).status !== 503)
  await redis.pause()
  expect((await ask(`${url}/ok`)).status).toBe(503)
  await redis.resume()
  await eventually('the store decides again', async () => (await ask(`${url}/ok`)).status !== 503)
}, 60_000)
