/** What callers, handlers and stores do that nobody planned for. */

import { ClosedError, InvalidOptionError } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import { localStreams } from '@larder/local-store'
import type { MessageSchema } from '@larder/plugins/messaging'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { openStage, PLACES } from './support/stage.ts'

const FAST = { group: 'g', retryAfter: 1, maxRetryAfter: 2 } as const
/** Longer than any test: what waits for it does not end. */
const LONG = { ...FAST, visibility: '1h' } as const

describe.each(PLACES)('%s', (place) => {
  it('sends a message as it was when it was added', async () => {
    const { stream } = openStage(place)
    const schema: MessageSchema<{ text: string }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async (value) => ({ value: value as { text: string } }),
      },
    }
    for (const own of [{ name: 'plain' }, { name: 'checked', schema }]) {
      const emails = stream<{ text: string }>(own)
      const message = { text: 'before' }
      const adding = emails.add(message)
      message.text = 'after'
      await adding
      const many = [{ text: 'before' }]
      const addingMany = emails.addMany(many)
      ;(many[0] as { text: string }).text = 'after'
      await addingMany
      const seen: string[] = []
      emails.handle(FAST, ({ text }) => void seen.push(text))
      await eventually('both are handled', () => seen.length === 2)
      expect(seen).toEqual(['before', 'before'])
    }
  })

  it('names what is wrong with the messages of addMany', async () => {
    const { stream } = openStage(place)
    const emails = stream<unknown>()
    for (const wrong of [undefined, null, 7, {}, 'text', new Map()[Symbol.iterator]])
      await expect(emails.addMany(wrong as never)).rejects.toThrow(/stream\.addMany\.messages/)
    const endless = (function* () {
      for (;;) yield 1
    })()
    await expect(emails.addMany(endless)).rejects.toBeInstanceOf(InvalidOptionError)
    expect((await emails.status('g')).length).toBe(0)
  })

  it('hands back at once what arrives while a consumer closes that waits for no handler', async () => {
    const { stream, caches } = openStage(place)
    const emails = stream<string>()
    const { provider } = caches[INTERNALS].streams().store
    for (let i = 0; i < 10; i++) {
      const consumer = emails.handle(
        { ...LONG, closeTimeout: 0 },
        () => new Promise(() => undefined),
      )
      await consumer.ready()
      const closed = consumer.close()
      const adding = emails.add(`${i}`)
      await Promise.all([closed, adding])
    }
    const seen: number[] = []
    emails.handle({ ...LONG, concurrency: 20 }, (_, { deliveries }) => void seen.push(deliveries))
    await eventually('all are handled', () => seen.length === 10)
    expect(new Set(seen)).toEqual(new Set([1]))
    expect(provider.name).not.toBe('')
  })

  it('hands back what a consumer has, that it was never told of', async () => {
    const { stream, caches } = openStage(place)
    const emails = stream<string>()
    await emails.add('a')
    const { provider } = caches[INTERNALS].streams().store
    const group = { stream: 'emails', group: 'g' }
    await provider.makeGroup(group, 'start')
    // The reply of this read is lost.
    const reader = provider.reader('emails')
    await reader.read(group, { consumer: 'pod-1', count: 1, waitMs: 1 })
    await reader.close()
    const consumer = emails.handle({ ...LONG, instance: 'pod-1' }, () => undefined)
    await consumer.ready()
    await consumer.close()
    const seen: number[] = []
    emails.handle(LONG, (_, { deliveries }) => void seen.push(deliveries))
    await eventually('it is handled', () => seen.length === 1)
    expect(seen).toEqual([1])
  })

  it('does not count a delivery twice less when it is handed back twice', async () => {
    const { stream, caches } = openStage(place)
    const emails = stream<string>()
    await emails.add('a')
    const { provider } = caches[INTERNALS].streams().store
    const group = { stream: 'emails', group: 'g' }
    await provider.makeGroup(group, 'start')
    const reader = provider.reader('emails')
    const found = await reader.read(group, { consumer: 'x', count: 1, waitMs: 1 })
    const entry = found === 'absent' ? '' : (found[0]?.entry ?? '')
    await reader.close()
    const take = { consumer: 'x', count: 1, idleMs: 0, held: [], cursor: '0-0' }
    await provider.take(group, take)
    for (let i = 0; i < 3; i++) await provider.settle(group, 'x', { kind: 'back', entry })
    const taken = await provider.take(group, take)
    expect(taken === 'absent' ? [] : taken.entries.map(({ deliveries }) => deliveries)).toEqual([2])
  })

  it('takes no consumer when it is closed', async () => {
    const { stream, caches } = openStage(place)
    const emails = stream<string>()
    await caches.close()
    expect(() => emails.handle(FAST, () => undefined)).toThrow(ClosedError)
  })

  it('closes at once from within a handler, and the message is not handed back', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    await emails.addMany(['a', 'b'])
    const seen: string[] = []
    const consumer = emails.handle(LONG, async (message) => {
      seen.push(message)
      await consumer.close()
    })
    await eventually('it has ended', () => outcomes.length > 0)
    await consumer.close()
    expect([seen, outcomes]).toEqual([['a'], ['handled']])
    expect(await emails.status('g')).toMatchObject({ pending: 0 })
  })

  it('works with a storeTimeout that is shorter than a read waits', async () => {
    const { stream, caches } = openStage(place)
    const failed: string[] = []
    caches.on('store-error', ({ operation }) => void failed.push(operation))
    const emails = stream<string>({ storeTimeout: '1s' })
    const idle = stream<string>({ name: 'idle', storeTimeout: '1ms' })
    const consumer = idle.handle(FAST, () => undefined)
    const seen: string[] = []
    emails.handle(FAST, (message) => void seen.push(message))
    await emails.add('a')
    await eventually('it is handled', () => seen.length === 1)
    await consumer.close()
    expect(failed.filter((operation) => operation === 'streams.read')).toEqual([])
  })

  it('takes over what is silent although many others wait for another try', async () => {
    const { stream, caches } = openStage(place)
    const emails = stream<number>()
    const { provider } = caches[INTERNALS].streams().store
    const group = { stream: 'emails', group: 'g' }
    await provider.makeGroup(group, 'start')
    for (let i = 0; i < 3; i++) await emails.addMany(Array.from({ length: 1_000 }, (_, j) => j))
    const reader = provider.reader('emails')
    const found = await reader.read(group, { consumer: 'x', count: 3_000, waitMs: 1 })
    await reader.close()
    const entries = found === 'absent' ? [] : found.map(({ entry }) => entry)
    const waiting = entries.slice(0, -1)
    await Promise.all(
      waiting.map((entry) =>
        provider.settle(group, 'x', { kind: 'retry', entry, afterMs: 3_600_000 }),
      ),
    )
    let cursor = '0-0'
    let calls = 0
    let taken: readonly string[] = []
    while (taken.length === 0 && calls < 400) {
      const reply = await provider.take(group, {
        consumer: 'y',
        count: 1,
        idleMs: 0,
        held: [],
        cursor,
      })
      calls += 1
      if (reply === 'absent') break
      cursor = reply.cursor
      taken = reply.entries.map(({ entry }) => entry)
    }
    expect(taken).toEqual([entries.at(-1)])
    expect(calls).toBeLessThan(20)
  })
})

it('handles what an answer brings that comes after its deadline, and no more at a time than it may', async () => {
  const streams = localStreams()
  const gate: { open: () => void } = { open: () => undefined }
  const opened = new Promise<void>((resolve) => {
    gate.open = resolve
  })
  let held = 0
  const take = streams.take.bind(streams)
  streams.take = async (group, asked) => {
    const taken = await take(group, asked)
    const isFirst = taken !== 'absent' && taken.entries.length > 0 && held++ === 0
    if (isFirst) await opened
    return taken
  }
  const { stream, caches, outcomes } = openStage('in process', { streams })
  let failures = 0
  caches.on('store-error', ({ operation }) => {
    if (operation === 'streams.take') failures += 1
  })
  const emails = stream<string>({ storeTimeout: '20ms' })
  const group = { stream: 'emails', group: 'g' }
  await emails.addMany(['a', 'b', 'c'])
  await streams.makeGroup(group, 'start')
  await streams.reader('emails').read(group, { consumer: 'x', count: 2, waitMs: 1 })
  await streams.leave(group, 'x')
  const seen: string[] = []
  let running = 0
  let most = 0
  emails.handle({ ...LONG, concurrency: 2 }, async (message) => {
    running += 1
    most = Math.max(most, running)
    seen.push(message)
    if (message === 'c') gate.open()
    await new Promise(setImmediate)
    running -= 1
  })
  await eventually('the deadline is over', () => failures > 0)
  await eventually(
    'all are handled',
    () => outcomes.filter((word) => word === 'handled').length === 3,
  )
  expect(seen.toSorted()).toEqual(['a', 'b', 'c'])
  expect(most).toBeLessThanOrEqual(2)
  expect((await emails.status('g')).pending).toBe(0)
})

describe('on Redis', () => {
  it('messages are added where a stream is gone and the ids of its messages are not', async () => {
    const { stream, namespace } = openStage('on Redis')
    const emails = stream<string>({ maxAge: '1h' })
    const first = await emails.add('a', { id: 'i' })
    const redis = new Redis(inject('redisUrl'))
    onTestFinished(() => redis.disconnect())
    await redis.del(`{${namespace}:stream:emails}`)
    expect(await emails.add('a', { id: 'i' })).toEqual({ ...first, isNew: false })
    expect((await emails.add('b')).isNew).toBe(true)
  })

  it('a server that refuses writes still says how a group stands, and lets messages be done', async () => {
    const server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
    onTestFinished(() => server.stop())
    const { stream, outcomes } = openStage('on Redis', { url: server.url })
    const emails = stream<string>()
    let end: () => void = () => undefined
    let begun = 0
    const consumer = emails.handle(LONG, () => {
      begun += 1
      return new Promise<void>((resolve) => {
        end = resolve
      })
    })
    await emails.add('a')
    await eventually('it is under way', () => begun === 1)
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    for (let i = 0; i < 5; i++) await expect(emails.add('b')).rejects.toThrow()
    expect(await emails.status('g')).toMatchObject({ pending: 1 })
    end()
    await eventually('it is done', () => outcomes.includes('handled'))
    await consumer.close()
  })

  it('a server that drops keys, or writes no append-only file, is told once', async () => {
    const server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    onTestFinished(() => server.stop())
    const { stream, caches } = openStage('on Redis', { url: server.url })
    const told: string[] = []
    caches.on('trouble', ({ error }) => void told.push(String(error)))
    await stream<string>().add('a')
    await eventually('it is told', () => told.length === 2)
    expect(told.join()).toMatch(/noeviction[\s\S]*appendonly/)
  })
})
