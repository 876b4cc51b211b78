/** Spans beside a real Redis and its client: decorated methods in requests, and nothing about commands. */

import { tracingChannel } from 'node:diagnostics_channel'
import { Cacheable, createCacheManager, RateLimited } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { tracing } from '@larder/plugins/tracing'
import { redisStore } from '@larder/redis-store'
import { expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/fresh-namespace.ts'
import { activeName, complaints, idOf, linksOf, spansInMemory } from './support/spans.ts'

function start(memory = spansInMemory(), namespace = freshNamespace()) {
  const caches = createCacheManager({
    namespace,
    default: false,
    local: lruStore(),
    remote: redisStore({ url: inject('redisUrl') }),
    plugins: [tracing({ tracerProvider: memory.tracerProvider, localHits: true })],
  })
  onTestFinished(() => caches.close())
  return { memory, caches, namespace }
}

class Users {
  @Cacheable({ ttl: '1m' })
  async find(id: number): Promise<string> {
    return `${id} in ${activeName()}`
  }

  @RateLimited({ limit: 10, per: '1m' })
  async call(): Promise<string> {
    return `call in ${activeName()}`
  }
}

it('a decorated method is named as a function, its local hits are counted if that is asked for, and its limit is a span', async () => {
  const { memory, caches } = start()
  const users = caches.bind(new Users())
  const [request, found] = await memory.request('r', async () => [
    await users.find(1),
    await users.find(1),
    await users.find(1),
    await users.call(),
  ])
  expect(found).toEqual([...Array(3).fill('1 in larder.load Users.find'), 'call in r'])
  expect(request.attributes).toEqual({ 'larder.cache.local_hits': 2 })
  const made = memory.ended()
  expect(made.map(({ name }) => name.split(' ')[0])).toEqual([
    'larder.read',
    'larder.load',
    'larder.limit',
  ])
  expect(made.slice(0, 2).map(({ attributes }) => attributes['code.function.name'])).toEqual([
    'Users.find',
    'Users.find',
  ])
  expect(made.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
    Array(3).fill(idOf(request)),
  )
  await caches.close()
  expect(memory.open.size).toBe(0)
  expect(complaints).toEqual([])
})

it('a lock is a span of the request that waits for it, also when another one gives it back', async () => {
  const { memory, caches } = start()
  const order: string[] = []
  const request = (name: string) =>
    memory.request(name, () => caches.locks.run('a', {}, async () => order.push(name)))
  const requests = await Promise.all(['r1', 'r2', 'r3'].map(request))
  const ids = new Map(requests.map(([span]) => [idOf(span), span.name]))
  const spans = memory
    .ended()
    .map(({ name, parentSpanContext }) => [ids.get(parentSpanContext?.spanId ?? ''), name])
  expect(spans.sort()).toEqual(
    ['r1', 'r2', 'r3'].flatMap((name) => [
      [name, 'larder.lock.hold'],
      [name, 'larder.lock.wait'],
    ]),
  )
  expect(order).toHaveLength(3)
})

it('commands of Redis are on the channels of its client, and make no span here', async () => {
  const commands: unknown[] = []
  const channel = tracingChannel('ioredis:command')
  const subscribers = {
    start: (command: unknown) => void commands.push(command),
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: () => undefined,
    error: () => undefined,
  }
  channel.subscribe(subscribers)
  onTestFinished(() => void channel.unsubscribe(subscribers))
  const { memory, caches } = start()
  const cache = caches.cache<string>('c')
  await cache.getOrLoad('k', async () => 'v')
  await cache.evict('k')
  await caches.locks.run('a', {}, async () => 'done')
  await caches.close()
  expect(commands.length).toBeGreaterThan(0)
  expect(memory.ended().map(({ name }) => name)).toEqual([
    'larder.read c',
    'larder.load c',
    'larder.evict',
    'larder.lock.wait',
    'larder.lock.hold',
  ])
})

it('a caller that waits for the load of another process is not linked to what is not here', async () => {
  const one = start()
  const two = start(spansInMemory(), one.namespace)
  let release: (value: string) => void = () => undefined
  const gate = new Promise<string>((resolve) => {
    release = resolve
  })
  const running = new Promise<void>((began) => {
    void one.caches.cache('c').getOrLoad('k', () => {
      began()
      return gate
    })
  })
  await running
  const [request, found] = await two.memory.request('r', async () => {
    const waiting = two.caches.cache('c').getOrLoad('k', () => Promise.reject(new Error('loaded')))
    release('v')
    return waiting
  })
  expect(found).toBe('v')
  const [read, ...others] = two.memory.ended()
  expect(others).toEqual([])
  expect([read?.name, linksOf(read), read?.parentSpanContext?.spanId]).toEqual([
    'larder.read c',
    [],
    idOf(request),
  ])
  expect(read?.attributes['cache.hit']).toBe(true)
})
