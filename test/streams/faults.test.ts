/** What becomes of messages when consumers, or what the store has, go wrong. Real Redis. */

import { createCacheManager } from '@larder/core'
import { createStream } from '@larder/plugins/messaging'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'
import { startSentinel } from '../support/redis/redis-sentinel.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { openStage } from './support/stage.ts'

const FAST = { group: 'g', visibility: '1s', retryAfter: 1, maxRetryAfter: 2 } as const

function connect(url = inject('redisUrl')): Redis {
  const redis = new Redis(url)
  onTestFinished(() => redis.disconnect())
  return redis
}

describe('a handler', () => {
  it('that takes longer than the visibility keeps its message', async () => {
    const stage = openStage('on Redis')
    const other = stage.other()
    let begun = 0
    let end: () => void = () => undefined
    const handler = (): Promise<void> => {
      begun += 1
      return new Promise((resolve) => {
        end = resolve
      })
    }
    const stream = stage.stream<string>()
    await stream.add('a')
    stream.handle(FAST, handler)
    await eventually('it is under way', () => begun === 1)
    // Others look for what was left, more than once past the visibility.
    const looks = other.stream<string>()
    looks.handle(FAST, handler)
    const redis = connect()
    const asked = async () =>
      Number(/cmdstat_zrangebyscore:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
    const before = await asked()
    await eventually('it was looked for', async () => (await asked()) > before + 8, 30_000)
    end()
    await eventually('it is handled', () => stage.outcomes.length === 1)
    expect(begun).toBe(1)
    expect(other.outcomes).toEqual([])
  })

  it('is told when another consumer has its message, and its result still counts', async () => {
    const stage = openStage('on Redis')
    const stream = stage.stream<string>()
    await stream.add('a', { id: 'i' })
    let signal: AbortSignal | undefined
    let end: () => void = () => undefined
    stream.handle({ ...FAST, dedupe: '1h' }, (_, delivery) => {
      signal = delivery.signal
      return new Promise<void>((resolve) => {
        end = resolve
      })
    })
    await eventually('it is under way', () => signal !== undefined)
    const key = `{${stage.namespace}:stream:emails}`
    const [[entry] = []] = (await connect().xpending(key, 'g', '-', '+', 1)) as [string][]
    await connect().xclaim(key, 'g', 'other', 0, entry ?? '')
    await eventually('it is told', () => signal?.aborted === true)
    expect(stage.outcomes).toEqual(['lost'])
    end()
    await eventually('it is handled', () => stage.outcomes.includes('handled'))
    expect((await stream.status('g')).pending).toBe(0)
  })
})

describe('messages', () => {
  it('of a consumer that died are handled, 10 000 of them', async () => {
    const stage = openStage('on Redis')
    const stream = stage.stream<number>()
    const key = `{${stage.namespace}:stream:emails}`
    const redis = connect()
    await redis.xgroup('CREATE', key, 'g', '0', 'MKSTREAM')
    for (let i = 0; i < 10; i++) await stream.addMany(Array.from({ length: 1_000 }, (_, j) => j))
    await redis.xreadgroup('GROUP', 'g', 'dead', 'COUNT', 10_000, 'STREAMS', key, '>')
    let count = 0
    stream.handle({ ...FAST, concurrency: 100 }, () => {
      count += 1
    })
    await eventually('all are done', async () => (await stream.status('g')).pending === 0, 60_000)
    expect(count).toBe(10_000)
  }, 90_000)

  it('that a process had delivered too often, and that no handler ended, are dead letters', async () => {
    const stage = openStage('on Redis')
    const stream = stage.stream<string>()
    const key = `{${stage.namespace}:stream:emails}`
    const redis = connect()
    await redis.xgroup('CREATE', key, 'g', '0', 'MKSTREAM')
    await stream.add('a', { id: 'i' })
    await redis.xreadgroup('GROUP', 'g', 'dead', 'COUNT', 1, 'STREAMS', key, '>')
    let begun = 0
    stream.handle({ ...FAST, maxDeliveries: 1 }, () => {
      begun += 1
    })
    await eventually('it is given up', () => stage.outcomes.includes('dead-letter'))
    expect(begun).toBe(0)
    expect(await stream.deadLetters('g')).toMatchObject([{ deliveries: 2, data: 'a' }])
  })

  it('that somebody trimmed while they were pending are told, and do not stay', async () => {
    const stage = openStage('on Redis')
    const stream = stage.stream<string>()
    const key = `{${stage.namespace}:stream:emails}`
    const redis = connect()
    await redis.xgroup('CREATE', key, 'g', '0', 'MKSTREAM')
    await stream.add('a')
    await redis.xreadgroup('GROUP', 'g', 'dead', 'COUNT', 1, 'STREAMS', key, '>')
    await redis.xtrim(key, 'MAXLEN', 0)
    await stream.add('b')
    stream.handle(FAST, () => undefined)
    await eventually('it is told', () => stage.outcomes.includes('gone'))
    await eventually('the other is handled', () => stage.outcomes.includes('handled'))
    expect((await stream.status('g')).pending).toBe(0)
  })

  it('are handled after the store lost everything, and that is told', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const stage = openStage('on Redis', { url: server.url })
    const states: string[] = []
    stage.caches.on('stream-group', ({ state }) => void states.push(state))
    const stream = stage.stream<string>()
    const seen: string[] = []
    const consumer = stream.handle(FAST, (message) => void seen.push(message))
    await consumer.ready()
    await stream.add('a')
    await eventually('it is handled', () => seen.includes('a'))
    await server.command('FLUSHALL')
    await stream.add('b')
    await eventually('the next is handled', () => seen.includes('b'))
    expect(states).toEqual(['made', 'lost'])
  })

  it('are not handled again after a group was removed, where it is remembered what was handled', async () => {
    const stage = openStage('on Redis')
    const stream = stage.stream<string>()
    const seen: string[] = []
    stream.handle({ ...FAST, dedupe: '1h' }, (message) => void seen.push(message))
    await stream.addMany(['a', 'b'])
    await eventually('both are handled', () => seen.length === 2)
    await connect().xgroup('DESTROY', `{${stage.namespace}:stream:emails}`, 'g')
    await stream.add('c')
    await eventually('the next is handled', () => seen.includes('c'))
    await eventually(
      'the others are recognised',
      () => stage.outcomes.filter((word) => word === 'duplicate').length === 2,
    )
    expect(seen).toEqual(['a', 'b', 'c'])
  })
})

describe('a server that is killed', () => {
  it('and comes back finds consumers that go on, and what was handled meanwhile is settled once', async () => {
    const server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    onTestFinished(() => server.stop())
    const stage = openStage('on Redis', { url: server.url })
    const stream = stage.stream<string>()
    await stream.add('a')
    let end: () => void = () => undefined
    let begun = 0
    stream.handle({ ...FAST, visibility: '1m' }, () => {
      begun += 1
      return new Promise<void>((resolve) => {
        end = resolve
      })
    })
    await eventually('it is under way', () => begun === 1)
    await server.kill()
    end()
    await server.start()
    await eventually('it is settled', () => stage.outcomes.length === 1, 30_000)
    expect(stage.outcomes).toEqual(['handled'])
    expect(begun).toBe(1)
    await eventually('nothing is pending', async () => (await stream.status('g')).pending === 0)
  }, 60_000)
})

describe('a failover', () => {
  it('behind sentinels is followed', async () => {
    const sentinel = await startSentinel({ replicas: 1 })
    onTestFinished(() => sentinel.stop())
    const options = { sentinels: sentinel.sentinelAddresses, name: sentinel.name }
    const caches = createCacheManager({
      namespace: freshNamespace(),
      remote: redisStore({ options }),
      default: false,
      logger: false,
    })
    onTestFinished(() => caches.close())
    const stream = createStream<string>(caches, { name: 's' })
    const seen: string[] = []
    stream.handle(FAST, (message) => void seen.push(message))
    await stream.add('a')
    await eventually('it is handled', () => seen.includes('a'))
    await sentinel.failover()
    await eventually('another is added', () => stream.add('b', { id: 'b' }), 60_000)
    await eventually('it is handled', () => seen.includes('b'), 60_000)
  }, 180_000)

  it('in a Cluster is followed, and so is a slot that moves', async () => {
    const cluster: RedisCluster = await startCluster({ masters: 2, replicasPerMaster: 1 })
    onTestFinished(() => cluster.stop())
    const namespace = freshNamespace()
    const caches = createCacheManager({
      namespace,
      remote: redisStore({ cluster: [...cluster.startupNodes] }),
      default: false,
      logger: false,
    })
    onTestFinished(() => caches.close())
    const stream = createStream<string>(caches, { name: 's' })
    const seen: string[] = []
    stream.handle(FAST, (message) => void seen.push(message))
    const handles = async (text: string): Promise<void> => {
      await eventually(`${text} is added`, () => stream.add(text, { id: text }), 60_000)
      await eventually(`${text} is handled`, () => seen.includes(text), 60_000)
    }
    await handles('a')
    const slot = await cluster.slotOf(`{${namespace}:stream:s}`)
    const from = await cluster.masterOf(slot)
    const to = (await cluster.masters()).find((node) => node.port !== from.port) ?? expect.fail()
    await cluster.migrateSlot(slot, from, to)
    await handles('b')
    await cluster.failover(await cluster.masterOf(slot))
    await handles('c')
  }, 240_000)
})
