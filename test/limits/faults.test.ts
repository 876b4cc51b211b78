/** R13: limits on a Redis in trouble. Every call answers in time, says who decided, and is never falsely called limited. */

import {
  type CacheManager,
  createCacheManager,
  type Limiter,
  type LimiterOptions,
  RateLimitUnavailableError,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startProxy, type TcpProxy } from '../support/proxy/tcp-proxy.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'

const DEADLINE_MS = 100
/** A noisy machine may take this much longer than what is promised; a call that hangs takes for ever. */
const ROOM_MS = 10_000
const PLENTY: LimiterOptions = { limit: 1_000, per: '1d' }

interface Stage {
  readonly redis: RedisServer
  readonly proxy: TcpProxy
  readonly caches: CacheManager
}

function managerOf(url: string, namespace = freshNamespace()): CacheManager {
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore({ url, pingEvery: '200ms' }),
    default: false,
  })
  onTestFinished(() => caches.close())
  return caches
}

async function setUp(): Promise<Stage> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const proxy = await startProxy(redis)
  onTestFinished(() => proxy.stop())
  const caches = managerOf(proxy.url)
  await untilRemote(caches.limiter(PLENTY))
  return { redis, proxy, caches }
}

/** Waits until the shared store decides. */
async function untilRemote(limiter: Limiter): Promise<void> {
  await eventually(
    'the shared store decides',
    async () => (await limiter.peek('warm-up')).source === 'remote',
    40_000,
  )
}

async function timed<Result>(work: Promise<Result>): Promise<readonly [Result, ms: number]> {
  const begun = performance.now()
  const result = await work
  return [result, performance.now() - begun]
}

/** Breaks the store in some way, and what makes it whole again. */
const OUTAGES: Readonly<Record<string, (stage: Stage) => Promise<() => Promise<unknown>>>> = {
  'a server that hangs (SIGSTOP)': async ({ redis }) => {
    await redis.pause()
    return () => redis.resume()
  },
  'a server that pauses its clients (CLIENT PAUSE)': async ({ redis }) => {
    // It ends by itself only, and has to outlast the calls that it delays.
    await redis.command('CLIENT', 'PAUSE', '8000', 'ALL')
    return async () => undefined
  },
  'a server that is gone': async ({ redis }) => {
    await redis.kill()
    return () => redis.start()
  },
  'a network that swallows everything': async ({ proxy }) => {
    proxy.blackhole(true)
    return () => proxy.heal()
  },
  'replies that get lost': async ({ proxy }) => {
    proxy.dropReplies({ match: ({ name }) => name.startsWith('EVAL') })
    return () => proxy.heal()
  },
  'connections that are cut and refused': async ({ proxy }) => {
    await proxy.refuse(true)
    proxy.cut()
    return () => proxy.heal()
  },
  'a server that answers with errors': async ({ proxy }) => {
    proxy.failCommands({
      match: ({ name }) => name.startsWith('EVAL'),
      error: 'OOM command not allowed when used memory > maxmemory',
    })
    return () => proxy.heal()
  },
}

describe.each(Object.entries(OUTAGES))('%s', (_, breakIt) => {
  it('this process counts alone in time, then the shared store again without a restart', async () => {
    const stage = await setUp()
    const { caches } = stage
    const options = { limit: 10, per: '1d', share: 0.5, name: 'x' } as const
    // All is well, and a busy machine is no outage.
    const patient = caches.limiter({ ...options, storeTimeout: '20s' })
    expect(await patient.consume('k')).toMatchObject({ source: 'remote', remaining: 9 })
    const limiter = caches.limiter(options)
    const mend = await breakIt(stage)
    let allowed = 0
    for (let i = 0; i < 8; i++) {
      const [verdict, ms] = await timed(limiter.consume('k'))
      expect(ms).toBeLessThan(DEADLINE_MS + ROOM_MS)
      if (verdict.source === 'local' && verdict.allowed) allowed += 1
    }
    // Half of ten; a call or two may have been decided before it broke.
    expect(allowed).toBeLessThanOrEqual(5)
    const closed = caches.limiter({ ...PLENTY, onStoreError: 'closed', name: 'closed' })
    await expect(closed.consume('other')).rejects.toThrow(RateLimitUnavailableError)
    const open = caches.limiter({ ...PLENTY, onStoreError: 'open', name: 'open' })
    expect(await open.consume('other')).toMatchObject({ allowed: true, source: 'open' })
    await mend()
    await untilRemote(limiter)
  }, 120_000)
})

it('R11: what was counted without our learning of it stays counted', async () => {
  const { proxy, caches } = await setUp()
  const limiter = caches.limiter({ limit: 10, per: '1d', onStoreError: 'open' })
  proxy.dropReplies({ match: ({ name }) => name.startsWith('EVAL'), times: 1 })
  const lost = await limiter.consume('k', 4)
  expect(lost).toMatchObject({ allowed: true, source: 'open' })
  await untilRemote(limiter)
  expect(await limiter.peek('k')).toMatchObject({ remaining: 6 })
  expect((await limiter.consume('k', 7)).allowed).toBe(false)
}, 60_000)

it('a boot with Redis down works, and the shared store decides once it is there', async () => {
  const port = await freePort()
  const caches = managerOf(`redis://127.0.0.1:${port}`)
  const limiter = caches.limiter({ limit: 2, per: '1d' })
  const [first, ms] = await timed(limiter.consume('k'))
  expect(first).toMatchObject({ allowed: true, source: 'local' })
  expect(ms).toBeLessThan(DEADLINE_MS + ROOM_MS)
  const redis = await startRedis({ port })
  onTestFinished(() => redis.stop())
  await untilRemote(limiter)
  expect(await limiter.consume('k')).toMatchObject({ allowed: true, source: 'remote' })
}, 60_000)

it('SCRIPT FLUSH costs nothing but the text', async () => {
  const { redis, caches } = await setUp()
  const limiter = caches.limiter({ limit: 100, per: '1d', storeTimeout: '20s' })
  for (let i = 0; i < 5; i++) {
    await limiter.consume('k')
    await redis.command('SCRIPT', 'FLUSH')
  }
  const verdicts = await Promise.all(Array.from({ length: 40 }, () => limiter.consume('k')))
  expect(verdicts.every(({ source }) => source === 'remote')).toBe(true)
  expect((await limiter.peek('k')).remaining).toBe(55)
}, 60_000)

it('FLUSHALL forgets what was counted, which is all a limit can lose', async () => {
  const { redis, caches } = await setUp()
  const options = { limit: 5, per: '1d', storeTimeout: '20s' } as const
  const limiter = caches.limiter(options)
  const waiting = caches.limiter({ ...options, limit: 1, maxWait: '10s', per: '300ms', name: 'w' })
  const before = await limiter.consume('k', 5)
  await waiting.consume('k')
  const turn = waiting.consume('k')
  await redis.command('FLUSHALL')
  expect(await limiter.refund(before)).toBe(false)
  expect(await limiter.consume('k', 5)).toMatchObject({ allowed: true, remaining: 0 })
  expect(await turn).toMatchObject({ allowed: true })
}, 60_000)

it('an outage while calls wait does not keep them from their turn', async () => {
  const { proxy, caches } = await setUp()
  const limiter = caches.limiter({ limit: 1, per: '500ms', maxWait: '10s', storeTimeout: '20s' })
  const calls = [1, 2, 3].map(() => limiter.consume('k'))
  await calls[0]
  await proxy.refuse(true)
  proxy.cut()
  const verdicts = await Promise.all(calls)
  expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true])
  expect(verdicts[2]?.waitedMs).toBe(1_000)
}, 60_000)
