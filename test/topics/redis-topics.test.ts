/** Topics when connections break, messages are lost or made up, and on a Cluster. */

import { createCacheManager } from '@larder/core'
import type { CodecStep } from '@larder/core/store'
import { createTopic, createTopicPattern } from '@larder/plugins/messaging'
import { redisStore, redisTopics } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startCluster } from '../support/redis/redis-cluster.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { hear, openTwo, topicEvents } from './support/stage.ts'

async function ownServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ args })
  onTestFinished(() => server.stop())
  return server
}

describe('a subscription whose connection is killed', () => {
  it('goes on by itself, and says that anything may have been missed', async () => {
    const server = await ownServer()
    const [one, other] = openTwo('on Redis', { url: server.url })
    const events = topicEvents(other)
    const heard = await hear(createTopic<number>(other, { name: 'n' }))
    const topic = createTopic<number>(one, { name: 'n' })
    await topic.publish(1)
    await eventually('the first one is heard', () => heard.messages.length === 1)
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually('it is told', () => heard.missed.includes('unknown'))
    await topic.publish(2)
    await topic.publish(3)
    await eventually('it goes on', () => heard.messages.includes(3))
    const told = heard.deliveries.map(({ missed }) => missed)
    expect(told[0]).toBe(0)
    expect(told[1]).toBe('unknown')
    expect(heard.subscription.stats()).toMatchObject({ interruptions: 1 })
    expect(events).toContainEqual({
      topic: 'n',
      reason: 'missed',
      count: 'unknown',
      error: undefined,
    })
  })

  it('counts what a publisher it knows has published meanwhile', async () => {
    const server = await ownServer()
    const [one, other] = openTwo('on Redis', { url: server.url })
    const heard = await hear(createTopic<number>(other, { name: 'n' }))
    const topic = createTopic<number>(one, { name: 'n' })
    const admin = new Redis(server.url)
    onTestFinished(() => admin.disconnect())
    await topic.publish(1)
    await eventually('the first one is heard', () => heard.messages.length === 1)
    // Nobody may connect, so that three messages are lost for certain.
    await admin.config('SET', 'maxclients', 1)
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually('nobody listens', async () => {
      const channels = await admin.call('PUBSUB', 'CHANNELS')
      return Array.isArray(channels) && channels.length === 0
    })
    for (const n of [2, 3, 4]) await topic.publish(n)
    await admin.config('SET', 'maxclients', 1_000)
    await eventually('it is back', () => heard.missed.includes('unknown'))
    await topic.publish(5)
    await eventually('it goes on', () => heard.messages.includes(5))
    expect(heard.messages).toEqual([1, 5])
    expect(heard.subscription.stats().missed).toBe(3)
  })

  it('is back after the server was away, and hears all subscriptions again', async () => {
    const server = await ownServer()
    const [one, other] = openTwo('on Redis', { url: server.url })
    const byName = await hear(createTopic<number>(other, { name: 'a.b' }))
    const byPattern = await hear(createTopicPattern<number>(other, { pattern: 'a.*' }))
    await server.restart()
    await eventually('both are back', () =>
      [byName, byPattern].every(({ missed }) => missed.includes('unknown')),
    )
    const topic = createTopic<number>(one, { name: 'a.b', storeTimeout: '10s' })
    await eventually('it can be published', () => topic.publish(1).then(() => true))
    await eventually('both hear it', () => byName.messages.length + byPattern.messages.length >= 2)
  })
})

it('the server drops a subscriber that reads too slowly, and that is told', async () => {
  const server = await ownServer()
  const [one, other] = openTwo('on Redis', { url: server.url })
  const heard = await hear(createTopic<string>(other, { name: 'n' }))
  await server.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 4096 4096 1')
  const topic = createTopic<string>(one, { name: 'n', storeTimeout: '10s' })
  await topic.publish('x'.repeat(500_000)).catch(() => undefined)
  await eventually('it is told', () => heard.missed.includes('unknown'))
  await server.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60')
  await topic.publish('small')
  await eventually('it goes on', () => heard.messages.includes('small'))
})

it('a message that is lost alone shows as a gap at the next one', async () => {
  const server = await ownServer()
  await server.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all')
  const namespace = freshNamespace()
  const open = (url: string) => {
    const topics = redisTopics({ url })
    const caches = createCacheManager({ namespace, topics, default: false, logger: false })
    onTestFinished(() => caches.close())
    return createTopic<number>(caches, { name: 'n' })
  }
  const heard = await hear(open(server.url))
  const topic = open(`redis://app:secret@127.0.0.1:${server.port}`)
  await topic.publish(1)
  // The publisher has no right to the channel for a moment, so its message reaches nobody.
  await server.command('ACL', 'SETUSER', 'app', 'resetchannels')
  await expect(topic.publish(2)).rejects.toMatchObject({ code: 'LARDER_TOPIC_UNAVAILABLE' })
  await server.command('ACL', 'SETUSER', 'app', 'allchannels')
  await topic.publish(3)
  await eventually('the next one is heard', () => heard.messages.includes(3))
  expect(heard.messages).toEqual([1, 3])
  expect(heard.deliveries.map(({ missed }) => missed)).toEqual([0, 1])
  expect(heard.missed).toEqual([1])
})

describe('what somebody else publishes', () => {
  it('never reaches a handler and never ends the subscription', async () => {
    const server = await ownServer()
    const [one, other] = openTwo('on Redis', { url: server.url })
    const heard = await hear(createTopic<number>(other, { name: 'n' }))
    const redis = new Redis(server.url)
    onTestFinished(() => redis.disconnect())
    const seen = new Redis(server.url)
    onTestFinished(() => seen.disconnect())
    const channel = `${other.namespace}:topic:0:n`
    await seen.subscribe(channel)
    const real: Buffer[] = []
    seen.on('messageBuffer', (_: Buffer, payload: Buffer) => real.push(payload))
    await createTopic<number>(one, { name: 'n' }).publish(1)
    await eventually('it is seen', () => real.length === 1)
    const [bytes = Buffer.alloc(0)] = real
    const json = (text: string): Buffer => {
      const head = Buffer.from(text)
      const start = Buffer.from([1, 0, 0])
      start.writeUInt16BE(head.length, 1)
      return Buffer.concat([start, head, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0xc0])])
    }
    const made = (id: string) => json(JSON.stringify({ id, source: 's', type: 'n', time: 't' }))
    const hostile = [
      Buffer.alloc(0),
      Buffer.from('neither fish nor fowl'),
      Buffer.alloc(100_000, 0xff),
      Buffer.alloc(2_000_000),
      bytes.subarray(0, 20),
      json('null'),
      json('{"__proto__":{"id":"1"}}'),
      json('['.repeat(10_000)),
      ...['', '0', '-1', '1e3', '01', '9'.repeat(20), '1.5', '٣'].map(made),
    ]
    for (const payload of hostile) await redis.publish(channel, payload)
    // The same message once more.
    await redis.publish(channel, bytes)
    await createTopic<number>(one, { name: 'n' }).publish(2)
    await eventually('the real one is heard', () => heard.messages.includes(2))
    expect(heard.messages).toEqual([1, 2])
    expect(heard.subscription.stats().invalid).toBe(hostile.length)
  })

  it('is refused where a codec step authenticates: bound to its topic, publisher and number', async () => {
    const server = await ownServer()
    const namespace = freshNamespace()
    const open = () => {
      const caches = createCacheManager({
        namespace,
        topics: redisTopics({ url: server.url }),
        plugins: [{ name: 'bound', codecSteps: [boundStep()] }],
        default: false,
        logger: false,
      })
      onTestFinished(() => caches.close())
      return caches
    }
    const [one, other] = [open(), open()]
    const heard = await hear(createTopic<number>(other, { name: 'n' }))
    const elsewhere = await hear(createTopic<number>(other, { name: 'm' }))
    const redis = new Redis(server.url)
    onTestFinished(() => redis.disconnect())
    const seen = new Redis(server.url)
    onTestFinished(() => seen.disconnect())
    await seen.subscribe(`${namespace}:topic:0:n`)
    const real: Buffer[] = []
    seen.on('messageBuffer', (_: Buffer, payload: Buffer) => real.push(payload))
    const topic = createTopic<number>(one, { name: 'n' })
    await topic.publish(1)
    await eventually('it is seen', () => real.length === 1)
    const text = (real[0] ?? Buffer.alloc(0)).toString('latin1')
    await redis.publish(`${namespace}:topic:0:m`, real[0] ?? '')
    // Another number of the same length, which would otherwise silence the publisher.
    await redis.publish(
      `${namespace}:topic:0:n`,
      Buffer.from(text.replace('"id":"1"', '"id":"9"'), 'latin1'),
    )
    await topic.publish(2)
    await eventually('the next one is heard', () => heard.messages.length === 2)
    await eventually('both are refused', () => elsewhere.subscription.stats().invalid === 1)
    expect(heard.messages).toEqual([1, 2])
    expect(heard.subscription.stats()).toMatchObject({ invalid: 1, missed: 0 })
  })
})

it('one connection serves all subscriptions, and subscribes once to each topic', async () => {
  const server = await ownServer()
  const [, other] = openTwo('on Redis', { url: server.url })
  const topic = createTopic<number>(other, { name: 'n' })
  const all = await Promise.all(Array.from({ length: 5 }, () => hear(topic)))
  const more = await hear(createTopic<number>(other, { name: 'm' }))
  const channel = `${other.namespace}:topic:0:n`
  expect(await server.command('PUBSUB', 'NUMSUB', channel)).toEqual([channel, 1])
  const clients = String(await server.command('CLIENT', 'LIST', 'TYPE', 'pubsub'))
  expect(clients.trim().split('\n')).toHaveLength(1)
  for (const { subscription } of all.slice(1)) await subscription.close()
  expect(await server.command('PUBSUB', 'NUMSUB', channel)).toEqual([channel, 1])
  await all[0]?.subscription.close()
  await eventually('it is given up', async () => {
    const [, count] = (await server.command('PUBSUB', 'NUMSUB', channel)) as [string, number]
    return count === 0
  })
  await more.subscription.close()
})

it('a flood on a topic does not disturb the evictions of the same server', async () => {
  const server = await ownServer()
  const caches = createCacheManager({
    namespace: freshNamespace(),
    remote: redisStore({ url: server.url }),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  await caches.ready()
  const outages: unknown[] = []
  caches.on('bus', (event) => outages.push(event))
  const heard = await hear(createTopic<string>(caches, { name: 'n' }))
  await server.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 4096 4096 1')
  await createTopic<string>(caches, { name: 'n' }).publish('x'.repeat(500_000))
  await eventually('the topic is cut off', () => heard.missed.includes('unknown'))
  expect(outages).toEqual([])
})

describe('on a Cluster', () => {
  it('messages of one publisher come in order, by name, pattern and shard', async () => {
    const cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
    onTestFinished(() => cluster.stop())
    const namespace = freshNamespace()
    const open = () => {
      const caches = createCacheManager({
        namespace,
        topics: redisTopics({ cluster: [...cluster.startupNodes] }),
        default: false,
        logger: false,
      })
      onTestFinished(() => caches.close())
      return caches
    }
    const [one, other] = [open(), open()]
    const all = Array.from({ length: 200 }, (_, i) => i)
    const plain = await hear(createTopic<number>(other, { name: 'a.plain' }))
    const pattern = await hear(createTopicPattern<number>(other, { pattern: 'a.*' }))
    const sharded = { name: 'a.sharded', sharded: true }
    const byShard = await hear(createTopic<number>(other, sharded))
    const topics = [
      createTopic<number>(one, { name: 'a.plain' }),
      createTopic<number>(one, sharded),
    ]
    for (const topic of topics) await Promise.all(all.map((i) => topic.publish(i)))
    for (const heard of [plain, pattern, byShard]) {
      await eventually('all are heard', () => heard.messages.length === all.length)
      expect(heard.messages).toEqual(all)
      expect(heard.deliveries.every(({ missed }) => missed === 0)).toBe(true)
    }
  }, 120_000)
})

/** Refuses bytes that were made for another place, as an encryption does. */
function boundStep(): CodecStep {
  const mark = (key: string, tags: readonly string[]): Buffer =>
    Buffer.from(`${key} ${tags.join()}|`)
  return {
    id: 77,
    name: 'bound',
    required: true,
    encode: (bytes, { key, tags }) => Buffer.concat([mark(key, tags), bytes]),
    decode(bytes, { key, tags }) {
      const wanted = mark(key, tags)
      if (!Buffer.from(bytes).subarray(0, wanted.length).equals(wanted))
        throw new Error('It is not of this place')
      return bytes.subarray(wanted.length)
    },
  }
}
