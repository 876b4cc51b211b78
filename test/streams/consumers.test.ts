/** What a consumer does with messages, in each kind of store. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { MessageInvalidError } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import { type Delivery, RejectMessage } from '@larder/plugins/messaging'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { openStage, PLACES } from './support/stage.ts'

/** A schema that makes a number of a text. */
const numberOfText = {
  '~standard': {
    version: 1,
    vendor: 'test',
    types: undefined as { readonly input: string; readonly output: number } | undefined,
    validate: async (value: unknown) => {
      const number = typeof value === 'string' ? Number(value) : Number.NaN
      if (!Number.isNaN(number)) return { value: number }
      return { issues: [{ message: `${value} is not a number`, path: ['to', { key: 0 }] }] }
    },
  },
} as const

const FAST = { group: 'mailer', retryAfter: 1, maxRetryAfter: 2 } as const

describe.each(PLACES)('%s', (place) => {
  it('handles each message once, in order with one at a time', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<number>()
    const seen: number[] = []
    await emails.addMany([1, 2, 3])
    const consumer = emails.handle(FAST, (message) => void seen.push(message))
    await emails.add(4)
    await eventually('all are handled', () => outcomes.length === 4)
    expect(seen).toEqual([1, 2, 3, 4])
    expect(consumer.stats()).toMatchObject({ handled: 4, retries: 0, running: 0 })
    await consumer.close()
    expect(await emails.status('mailer')).toMatchObject({ pending: 0, waiting: 0, consumers: 0 })
  })

  it('handles as many at a time as it may, and no more', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<number>()
    await emails.addMany(Array.from({ length: 20 }, (_, i) => i))
    let running = 0
    let most = 0
    const release: (() => void)[] = []
    emails.handle({ ...FAST, concurrency: 3 }, async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise<void>((resolve) => release.push(resolve))
      running -= 1
    })
    await eventually('all are handled', () => {
      if (running === 3 || outcomes.length >= 17) release.splice(0).forEach((end) => void end())
      return outcomes.length === 20
    })
    expect(most).toBe(3)
  })

  it('gives the handler what the schema makes of a message, and the attributes', async () => {
    const { stream, namespace } = openStage(place)
    const emails = stream({
      schema: numberOfText,
      source: 'shop',
      type: 'welcome',
      dataschema: 'urn:email:1',
      traceparent: () => '00-1-2-01',
    })
    const seen: [number, Delivery][] = []
    emails.handle(FAST, (message, delivery) => void seen.push([message, delivery]))
    await emails.add('12', { id: 'i' })
    await eventually('it is handled', () => seen.length === 1)
    const [message, { id, attributes, deliveries, signal }] = seen[0] ?? expect.fail()
    expect([message, id, deliveries, signal.aborted]).toEqual([12, 'i', 1, false])
    expect(attributes).toMatchObject({
      id: 'i',
      source: 'shop',
      type: 'welcome',
      dataschema: 'urn:email:1',
      traceparent: '00-1-2-01',
    })
    expect(new Date(attributes.time).getTime()).not.toBeNaN()
    expect(namespace).not.toBe('')
  })

  it('refuses what the schema refuses, before it is sent, without its values in the text', async () => {
    const { stream } = openStage(place)
    const emails = stream({ schema: numberOfText })
    const error = await emails.add('secret').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(MessageInvalidError)
    expect(error).toMatchObject({ side: 'send', reason: 'schema', topic: 'emails' })
    expect((error as MessageInvalidError).issues).toEqual([
      { path: '$.to[0]', message: 'secret is not a number' },
    ])
    expect(JSON.stringify(error) + String(error)).not.toContain('secret')
    expect((await emails.status('mailer')).length).toBe(0)
  })

  it('adds a message once for an id, also after the reply was lost', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    const first = await emails.add('a', { id: 'welcome:1' })
    const again = await emails.add('a', { id: 'welcome:1' })
    expect([first.isNew, again.isNew]).toEqual([true, false])
    expect(again.entry).toBe(first.entry)
    const many = await emails.addMany(['b', 'c', 'b'], { idOf: (text) => text })
    expect(many.map(({ isNew }) => isNew)).toEqual([true, true, false])
    emails.handle(FAST, () => undefined)
    await eventually('all are handled', () => outcomes.length === 3)
  })

  it('tries a message again after a pause, while others are handled', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    await emails.addMany(['poison', 'a', 'b'])
    const seen: [string, number][] = []
    emails.handle({ ...FAST, maxDeliveries: 3 }, (message, { deliveries }) => {
      seen.push([message, deliveries])
      if (message === 'poison') throw new Error('no')
    })
    await eventually('all have ended', () => outcomes.length === 5)
    expect(seen.filter(([message]) => message === 'poison').map(([, n]) => n)).toEqual([1, 2, 3])
    expect(outcomes.toSorted()).toEqual(['dead-letter', 'handled', 'handled', 'retry', 'retry'])
    expect(await emails.deadLetters('mailer')).toMatchObject([
      {
        error: 'Error: no',
        deliveries: 3,
        data: 'poison',
        attributes: { source: expect.any(String) },
      },
    ])
  })

  it('gives a message up at once for RejectMessage', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    await emails.add('a', { id: 'i' })
    emails.handle(FAST, () => Promise.reject(new RejectMessage('No such address')))
    await eventually('it is given up', () => outcomes.length === 1)
    const [letter] = await emails.deadLetters('mailer')
    expect(letter).toMatchObject({ error: 'RejectMessage: No such address', deliveries: 1 })
    expect(letter?.attributes?.id).toBe('i')
  })

  it('gives up what fails with something that has no text, and goes on', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<number>()
    const thrown = [undefined, null, Object.create(null), Symbol('s'), 'x'.repeat(5_000)]
    await emails.addMany(thrown.map((_, i) => i))
    emails.handle({ ...FAST, maxDeliveries: 1, concurrency: 9 }, (i) => Promise.reject(thrown[i]))
    await eventually('all are given up', () => outcomes.length === thrown.length)
    const errors = (await emails.deadLetters('mailer')).map(({ error }) => error)
    expect(errors.map((error) => error.slice(0, 20)).sort()).toEqual([
      'Something was thrown',
      'Symbol(s)',
      'null',
      'undefined',
      'x'.repeat(20),
    ])
    expect(Math.max(...errors.map(({ length }) => length))).toBe(1_000)
  })

  it('puts a dead letter back for its group only, or removes it', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    const seen: string[] = []
    let isBroken = true
    emails.handle({ ...FAST, group: 'audit' }, (message) => void seen.push(`audit ${message}`))
    emails.handle({ ...FAST, maxDeliveries: 1 }, (message) => {
      if (isBroken) throw new Error('down')
      seen.push(message)
    })
    await emails.addMany(['a', 'b'])
    await eventually('all are given up', () => outcomes.length === 4)
    const [a, b] = await emails.deadLetters('mailer')
    isBroken = false
    expect(await emails.replay('mailer', a?.letter ?? '')).toBe(true)
    expect(await emails.replay('mailer', a?.letter ?? '')).toBe(false)
    expect(await emails.discard('mailer', b?.letter ?? '')).toBe(true)
    expect(await emails.discard('mailer', b?.letter ?? '')).toBe(false)
    expect(await emails.discard('mailer', 'no letter')).toBe(false)
    await eventually('it is handled', () => seen.includes('a'))
    await eventually('the other group is done with it', async () => {
      const { pending, unread } = await emails.status('audit')
      return pending === 0 && (unread ?? 0) === 0
    })
    expect(seen.toSorted()).toEqual(['a', 'audit a', 'audit b'])
    expect(await emails.deadLetters('mailer')).toEqual([])
  })

  it('drops what is given up where no dead letters are kept', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    await emails.add('a')
    emails.handle({ ...FAST, maxDeliveries: 1, deadLetter: false }, () =>
      Promise.reject(new Error()),
    )
    await eventually('it is dropped', () => outcomes.length === 1)
    expect(outcomes).toEqual(['dropped'])
    expect(await emails.status('mailer')).toMatchObject({ deadLetters: 0, pending: 0 })
  })

  it('does not handle again what was handled, where that is remembered', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>({ rememberIds: '1s' })
    const seen: string[] = []
    emails.handle({ ...FAST, dedupe: '1h' }, (message) => void seen.push(message))
    await emails.add('a', { id: 'i' })
    await eventually('it is handled', () => seen.length === 1)
    // Another stream object with the name, whose ids are remembered apart: the message is there twice.
    await eventually('it is added again', async () => (await emails.add('a', { id: 'i' })).isNew)
    await eventually('it is recognised', () => outcomes.includes('duplicate'))
    expect(seen).toEqual(['a'])
  })

  it('begins with new messages where that is asked for', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    await emails.add('old')
    const seen: string[] = []
    const consumer = emails.handle({ ...FAST, from: 'new' }, (message) => void seen.push(message))
    await consumer.ready()
    await emails.add('new')
    await eventually('it is handled', () => outcomes.length === 1)
    expect(seen).toEqual(['new'])
  })

  it('hands back at once, when it closes, what it did not finish', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    await emails.add('a')
    let signal: AbortSignal | undefined
    const consumer = emails.handle({ ...FAST, closeTimeout: 0 }, (_, delivery) => {
      signal = delivery.signal
      return new Promise(() => undefined)
    })
    await eventually('it is under way', () => signal !== undefined)
    await consumer.close()
    expect(signal?.aborted).toBe(true)
    expect(outcomes).toEqual(['handed-back'])
    const seen: number[] = []
    emails.handle(FAST, (_, { deliveries }) => void seen.push(deliveries))
    await eventually('another one handles it', () => seen.length === 1)
    expect(seen).toEqual([1])
  })

  it('waits for handlers when it closes, and takes nothing more', async () => {
    const { stream, outcomes } = openStage(place)
    const emails = stream<string>()
    await emails.addMany(['a', 'b'])
    const ends: (() => void)[] = []
    const consumer = emails.handle(FAST, () => new Promise<void>((resolve) => ends.push(resolve)))
    await eventually('one is under way', () => ends.length === 1)
    const closed = consumer.close()
    ends[0]?.()
    await closed
    expect(outcomes[0]).toBe('handled')
    expect(ends).toHaveLength(1)
    expect(consumer.close()).toBe(closed)
  })

  it('closes with its signal, and with its manager', async () => {
    const { stream, caches } = openStage(place)
    const emails = stream<string>()
    const controller = new AbortController()
    const one = emails.handle({ ...FAST, signal: controller.signal }, () => undefined)
    const other = emails.handle(FAST, () => undefined)
    await Promise.all([one.ready(), other.ready()])
    const late = AbortSignal.abort()
    const last = emails.handle({ ...FAST, signal: late }, () => undefined)
    await last.close()
    controller.abort()
    await one.close()
    await caches.close()
    await other.close()
  })

  it('runs the handler in the async context of the call', async () => {
    const { stream } = openStage(place)
    const emails = stream<string>()
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    storage.run('mine', () => emails.handle(FAST, () => void seen.push(storage.getStore())))
    await storage.run('yours', () => emails.add('a'))
    await eventually('it is handled', () => seen.length === 1)
    expect(seen).toEqual(['mine'])
  })

  it('makes dead letters of hostile bytes, and goes on', async () => {
    const { stream, caches, outcomes } = openStage(place)
    const emails = stream<string>({ maxBytes: '1kb' })
    const { provider } = caches[INTERNALS].streams().store
    const hostile = [
      Buffer.alloc(0),
      Buffer.alloc(5_000_000, 1),
      Buffer.from('[['.repeat(400)),
      Buffer.concat([Buffer.from([1, 0, 2]), Buffer.from('{}')]),
      Buffer.concat([Buffer.from([1, 0, 4]), Buffer.from('null'), Buffer.alloc(50, 0xc1)]),
    ]
    const rule = { stream: 'emails', rememberMs: 1_000, maxLength: 1_000, maxAgeMs: Infinity }
    const additions = hostile.map((bytes) => ({ id: undefined, bytes }))
    await provider.add({ ...rule, trimsUnhandled: false }, additions)
    await emails.add('fine')
    emails.handle({ ...FAST, maxDeliveries: 2 }, () => undefined)
    await eventually(
      'all have ended',
      () => outcomes.filter((word) => word !== 'retry').length === 6,
    )
    expect(outcomes.filter((word) => word === 'dead-letter')).toHaveLength(5)
    const letters = await emails.deadLetters('mailer')
    expect(letters.map(({ data }) => data)).toEqual(Array(5).fill(undefined))
    for (const { error } of letters) expect(error).toMatch(/^MessageInvalidError/)
    expect((await emails.status('mailer')).pending).toBe(0)
  })

  it('gives messages that an older schema let pass to the dead letters, from where they come back', async () => {
    const { stream, outcomes } = openStage(place)
    await stream<string>().add('not a number', { id: 'i' })
    const emails = stream({ schema: numberOfText })
    const consumer = emails.handle({ ...FAST, maxDeliveries: 2 }, () => undefined)
    await eventually('it is given up', () => outcomes.includes('dead-letter'))
    const [letter] = await emails.deadLetters('mailer')
    expect(letter).toMatchObject({ data: 'not a number' })
    expect(letter?.error).not.toContain('number ')
    await consumer.close()
    const old = stream<string>()
    const seen: string[] = []
    old.handle(FAST, (message) => void seen.push(message))
    await old.replay('mailer', letter?.letter ?? '')
    await eventually('it is handled', () => seen.length === 1)
  })

  it('refuses a second consumer with the same instance', async () => {
    const { stream } = openStage(place)
    const emails = stream<string>()
    const consumer = emails.handle({ ...FAST, instance: 'pod-1' }, () => undefined)
    expect(consumer.instance).toBe('pod-1')
    expect(() => emails.handle({ ...FAST, instance: 'pod-1' }, () => undefined)).toThrow(
      /stream\.handle\.instance/,
    )
    await consumer.close()
    const again = emails.handle({ ...FAST, instance: 'pod-1' }, () => undefined)
    onTestFinished(() => again.close())
  })
})
