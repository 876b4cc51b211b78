/** What topics promise, on each store. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { ClosedError, InvalidOptionError, MessageInvalidError, ValueError } from '@larder/core'
import { createTopic, createTopicPattern, type MessageSchema } from '@larder/plugins/messaging'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { hear, openTwo, PLACES, topicEvents } from './support/stage.ts'

interface Price {
  readonly symbol: string
  readonly cents: number
}

/** Takes prices, and sets what is missing. */
const PRICE: MessageSchema<Price, Price & { readonly currency: string }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      const { symbol, cents } = (value ?? {}) as Partial<Price>
      if (typeof symbol !== 'string') return { issues: [{ message: 'no text', path: ['symbol'] }] }
      if (typeof cents !== 'number') return { issues: [{ message: 'no number', path: ['cents'] }] }
      return { value: { symbol, cents, currency: 'EUR' } }
    },
  },
}

describe.each(PLACES)('a topic %s', (place) => {
  it('hands what the schema makes of a message to all who listen', async () => {
    const [one, other] = openTwo(place)
    const heard = await hear(createTopic(other, { name: 'prices', schema: PRICE }))
    const own = await hear(createTopic(one, { name: 'prices', schema: PRICE }))
    await createTopic(one, { name: 'prices', schema: PRICE }).publish({ symbol: 'A', cents: 1 })
    for (const each of [heard, own]) {
      await eventually('it is heard', () => each.messages.length === 1)
      expect(each.messages).toEqual([{ symbol: 'A', cents: 1, currency: 'EUR' }])
      expect(each.deliveries[0]).toMatchObject({ missed: 0, topic: 'prices' })
      expect(Date.parse(each.deliveries[0]?.time ?? '')).toBeGreaterThan(0)
    }
  })

  it('refuses to publish what the schema refuses, and numbers nothing for it', async () => {
    const [one, other] = openTwo(place)
    const heard = await hear(createTopic(other, { name: 'prices', schema: PRICE }))
    const topic = createTopic(one, { name: 'prices', schema: PRICE })
    await topic.publish({ symbol: 'A', cents: 1 })
    const wrong = topic.publish({ symbol: 'A' } as Price)
    await expect(wrong).rejects.toThrow(MessageInvalidError)
    await expect(wrong).rejects.toMatchObject({ code: 'LARDER_MESSAGE_INVALID', side: 'send' })
    await topic.publish({ symbol: 'B', cents: 2 })
    await eventually('the others are heard', () => heard.messages.length === 2)
    expect(heard.deliveries.map(({ missed }) => missed)).toEqual([0, 0])
  })

  it('never hands what the schema refuses to a handler, counts it and reports it', async () => {
    const [one, other] = openTwo(place)
    const events = topicEvents(other)
    const heard = await hear(createTopic(other, { name: 'prices', schema: PRICE }))
    const free = createTopic<unknown>(one, { name: 'prices' })
    await free.publish({ symbol: 'A', cents: 'secret' })
    await free.publish({ symbol: 'B', cents: 2 })
    await eventually('the right one is heard', () => heard.messages.length === 1)
    expect(heard.deliveries[0]?.missed).toBe(0)
    expect(heard.subscription.stats()).toMatchObject({ handled: 1, invalid: 1, missed: 0 })
    expect(events).toMatchObject([{ topic: 'prices', reason: 'invalid', count: 1 }])
    expect(String(events[0]?.error)).not.toContain('secret')
  })

  it('keeps the order of one publisher, whatever its schema takes', async () => {
    const [one, other] = openTwo(place)
    const heard = await hear(createTopic<number>(other, { name: 'n' }))
    let checks = 0
    // The first ones take the longest.
    const slow: MessageSchema<number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        async validate(value) {
          for (let left = 50 - checks++; left > 0; left--) await Promise.resolve()
          return { value: value as number }
        },
      },
    }
    const topic = createTopic(one, { name: 'n', schema: slow })
    const all = Array.from({ length: 50 }, (_, i) => i)
    await Promise.all(all.map((i) => topic.publish(i)))
    await eventually('all are heard', () => heard.messages.length === 50)
    expect(heard.messages).toEqual(all)
  })

  it('goes on after a handler that throws or rejects, and reports it', async () => {
    const [one, other] = openTwo(place)
    const events = topicEvents(other)
    const seen: number[] = []
    const subscription = createTopic<number>(other, { name: 'n' }).subscribe((n) => {
      seen.push(n)
      if (n === 1) throw new Error('thrown')
      return n === 2 ? Promise.reject(new Error('rejected')) : undefined
    })
    await subscription.ready
    const topic = createTopic<number>(one, { name: 'n' })
    for (const n of [1, 2, 3]) await topic.publish(n)
    await eventually('all are handled', () => subscription.stats().handled === 1)
    expect(seen).toEqual([1, 2, 3])
    expect(subscription.stats()).toMatchObject({ failed: 2, missed: 0 })
    expect(events.map(({ reason, error }) => `${reason} ${(error as Error).message}`)).toEqual([
      'failed thrown',
      'failed rejected',
    ])
  })

  it('drops the oldest messages of a handler that is too slow, counts them and tells', async () => {
    const [one, other] = openTwo(place)
    const events = topicEvents(other)
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const seen: [number, number | 'unknown'][] = []
    const told: (number | 'unknown')[] = []
    const subscription = createTopic<number>(other, { name: 'n' }).subscribe(
      async (n, { missed }) => {
        seen.push([n, missed])
        await released
      },
      { buffer: 3, onMissed: (missed) => told.push(missed) },
    )
    await subscription.ready
    const topic = createTopic<number>(one, { name: 'n' })
    await topic.publish(0)
    await eventually('the first one is being handled', () => seen.length === 1)
    for (let n = 1; n <= 10; n++) await topic.publish(n)
    await eventually('the rest has arrived', () => subscription.stats().dropped === 7)
    release()
    await eventually('what is left is handled', () => subscription.stats().handled === 4)
    expect(seen).toEqual([
      [0, 0],
      [8, 7],
      [9, 0],
      [10, 0],
    ])
    expect(subscription.stats()).toMatchObject({ missed: 7, dropped: 7 })
    expect(told.reduce<number>((sum, n) => sum + Number(n), 0)).toBe(7)
    expect(events.every(({ reason }) => reason === 'dropped')).toBe(true)
  })

  it('bounds what waits by its bytes as well', async () => {
    const [one, other] = openTwo(place)
    const never = new Promise<void>(() => undefined)
    const subscription = createTopic<string>(other, { name: 'n' }).subscribe(() => never, {
      bufferBytes: '1kb',
    })
    await subscription.ready
    const topic = createTopic<string>(one, { name: 'n' })
    for (let n = 0; n < 10; n++) await topic.publish('x'.repeat(400))
    await eventually('most are dropped', () => subscription.stats().dropped >= 7)
  })

  it('tells two publishers apart, and one that starts anew', async () => {
    const [one, other] = openTwo(place)
    const heard = await hear(createTopic<string>(other, { name: 'n' }))
    const first = createTopic<string>(one, { name: 'n' })
    for (const message of ['a', 'b']) await first.publish(message)
    const second = createTopic<string>(one, { name: 'n' })
    for (const message of ['c', 'd']) await second.publish(message)
    await eventually('all are heard', () => heard.messages.length === 4)
    expect(heard.deliveries.map(({ missed }) => missed)).toEqual([0, 0, 0, 0])
    expect(new Set(heard.deliveries.map(({ publisher }) => publisher)).size).toBe(2)
  })

  it('does not count what was published before the subscription began', async () => {
    const [one, other] = openTwo(place)
    const topic = createTopic<string>(one, { name: 'n' })
    await topic.publish('before')
    const heard = await hear(createTopic<string>(other, { name: 'n' }))
    await topic.publish('after')
    await eventually('it is heard', () => heard.messages.length === 1)
    expect(heard.deliveries[0]?.missed).toBe(0)
  })

  it('hears topics by a pattern, with the name of each', async () => {
    const [one, other] = openTwo(place)
    const heard = await hear(createTopicPattern<string>(other, { pattern: 'orders.*' }))
    for (const name of ['orders.paid', 'orders', 'orders.eu.paid', 'orders.sent'])
      await createTopic<string>(one, { name }).publish(name)
    await eventually('both are heard', () => heard.messages.length === 2)
    expect(heard.messages).toEqual(['orders.paid', 'orders.sent'])
    expect(heard.deliveries.map(({ topic }) => topic)).toEqual(heard.messages)
  })

  it('hands out messages of its own to each handler', async () => {
    const [one, other] = openTwo(place)
    const topic = createTopic<{ list: number[] }>(other, { name: 'n' })
    const lists: number[][] = []
    const handlers = [1, 2].map((n) =>
      topic.subscribe(({ list }) => {
        list.push(n)
        lists.push(list)
      }),
    )
    await Promise.all(handlers.map(({ ready }) => ready))
    await createTopic<{ list: number[] }>(one, { name: 'n' }).publish({ list: [0] })
    await eventually('both have it', () => lists.length === 2)
    expect(lists.toSorted()).toEqual([
      [0, 1],
      [0, 2],
    ])
  })

  it('ends with close, also when that is called in the handler', async () => {
    const [one, other] = openTwo(place)
    const topic = createTopic<number>(other, { name: 'n' })
    const seen: number[] = []
    const subscription = topic.subscribe(async (n) => {
      seen.push(n)
      await subscription.close()
    })
    const witness = await hear(topic)
    await subscription.ready
    const publisher = createTopic<number>(one, { name: 'n' })
    for (const n of [1, 2, 3]) await publisher.publish(n)
    await eventually('the other one has all', () => witness.messages.length === 3)
    await subscription.close()
    expect(seen).toEqual([1])
    await using again = topic.subscribe(() => undefined)
    await again.close()
    await expect(again.ready).rejects.toThrow(ClosedError)
  })

  it('runs handlers in the async context in which they were registered', async () => {
    const [one, other] = openTwo(place)
    const storage = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const topic = createTopic<number>(other, { name: 'n' })
    const subscribe = (name: string) =>
      storage.run(name, () => topic.subscribe(() => void seen.push(storage.getStore())))
    await Promise.all(['a', 'b'].map((name) => subscribe(name).ready))
    await storage.run('publisher', () => createTopic<number>(one, { name: 'n' }).publish(1))
    await eventually('both are called', () => seen.length === 2)
    expect(seen.sort()).toEqual(['a', 'b'])
  })

  it('takes any value that comes back unchanged, and refuses others', async () => {
    const [one, other] = openTwo(place)
    const heard = await hear(createTopic(other, { name: 'n' }))
    const topic = createTopic(one, { name: 'n' })
    const values = [undefined, null, 0, '', new Date(5), new Map([[1, 2]]), 2n ** 70n, [undefined]]
    for (const value of values) await topic.publish(value)
    await eventually('all are heard', () => heard.messages.length === values.length)
    expect(heard.messages).toEqual(values)
    await expect(topic.publish(() => 1)).rejects.toThrow(ValueError)
    await topic.publish('next')
    await eventually('the next one is heard', () => heard.messages.length > values.length)
    expect(heard.deliveries.at(-1)?.missed).toBe(0)
  })

  it('refuses messages that are too large, at both ends', async () => {
    const [one, other] = openTwo(place)
    const events = topicEvents(other)
    const heard = await hear(createTopic<string>(other, { name: 'n', maxMessageBytes: '1kb' }))
    const small = createTopic<string>(one, { name: 'n', maxMessageBytes: '1kb' })
    await expect(small.publish('x'.repeat(2_000))).rejects.toThrow(/at most 1024 bytes/)
    const large = createTopic<string>(one, { name: 'n' })
    await large.publish('x'.repeat(2_000))
    await large.publish('small')
    await eventually('the small one is heard', () => heard.messages.length === 1)
    expect(heard.subscription.stats().invalid).toBe(1)
    expect(events[0]).toMatchObject({ reason: 'invalid' })
  })

  it('is over with its manager', async () => {
    const [one, other] = openTwo(place)
    const topic = createTopic<number>(other, { name: 'n' })
    const never = new Promise<void>(() => undefined)
    const seen: number[] = []
    const subscription = topic.subscribe((n) => {
      seen.push(n)
      return never
    })
    await subscription.ready
    await createTopic<number>(one, { name: 'n' }).publish(1)
    await eventually('the handler runs', () => seen.length === 1)
    await other.close()
    await expect(topic.publish(1)).rejects.toThrow(ClosedError)
    expect(() => topic.subscribe(() => undefined)).toThrow(ClosedError)
    expect(() => createTopic(other, { name: 'n' })).toThrow(ClosedError)
  })

  it.each<[string, () => unknown]>([
    ['createTopic.name', () => createTopic(openTwo(place)[0], { name: 'a.*' })],
    ['createTopic.name', () => createTopic(openTwo(place)[0], { name: '' })],
    ['createTopic.name', () => createTopic(openTwo(place)[0], { name: 'a..b' })],
    ['createTopic.name', () => createTopic(openTwo(place)[0], { name: 'a{b}' })],
    [
      'createTopic.schema',
      () => createTopic(openTwo(place)[0], { name: 'a', schema: {} as never }),
    ],
    [
      'createTopic.sharded',
      () => createTopic(openTwo(place)[0], { name: 'a', sharded: 1 as never }),
    ],
    ['createTopic.nmae', () => createTopic(openTwo(place)[0], { nmae: 'a' } as never)],
    [
      'createTopic.maxMessageBytes',
      () => createTopic(openTwo(place)[0], { name: 'a', maxMessageBytes: '1gb' }),
    ],
    ['createTopicPattern.pattern', () => createTopicPattern(openTwo(place)[0], { pattern: 'a*' })],
    ['createTopicPattern.pattern', () => createTopicPattern(openTwo(place)[0], { pattern: '[a]' })],
    ['createTopic.caches', () => createTopic({} as never, { name: 'a' })],
    [
      'topic.subscribe.handler',
      () => createTopic(openTwo(place)[0], { name: 'a' }).subscribe('x' as never),
    ],
    [
      'topic.subscribe.buffer',
      () => createTopic(openTwo(place)[0], { name: 'a' }).subscribe(() => 1, { buffer: 0 }),
    ],
  ])('refuses what is wrong in %s', (option, make) => {
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(option)
  })
})
