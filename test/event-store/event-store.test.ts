/** What event stores promise, on each store. */

import {
  ClosedError,
  createCacheManager,
  EventConflictError,
  InvalidOptionError,
  MessageInvalidError,
  ValueError,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { createEventStore, type EventStore, type MessageSchema } from '@larder/plugins/messaging'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { all, openTwo, PLACES } from './support/stage.ts'

interface Deposit {
  readonly type: 'deposited'
  readonly cents: number
}

const DEPOSIT: MessageSchema<Deposit> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      const { type, cents } = (value ?? {}) as Partial<Deposit>
      if (type !== 'deposited') return { issues: [{ message: 'unknown', path: ['type'] }] }
      if (typeof cents !== 'number') return { issues: [{ message: 'no number', path: ['cents'] }] }
      return { value: { type, cents } }
    },
  },
}
/** A cache in this process. */
function snapshots() {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    local: lruStore(),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  return caches.cache('balances')
}

const deposited = (cents: number): Deposit => ({ type: 'deposited', cents })

describe.each(PLACES)('an event store %s', (place) => {
  const open = (more = {}) => {
    const [one, other] = openTwo(place)
    const options = { name: 'accounts', schema: DEPOSIT, ...more }
    return {
      store: createEventStore(one, options),
      other: createEventStore(other, options),
      managers: [one, other] as const,
    }
  }

  it('gives back what was appended, in order, with what is known of it', async () => {
    const { store, other } = open()
    expect(await store.append('a', [deposited(1), deposited(2)])).toEqual({
      version: 2,
      isDuplicate: false,
    })
    expect(await other.append('a', [deposited(3)])).toEqual({ version: 3, isDuplicate: false })
    const events = await all(store.read('a'))
    expect(events.map(({ data, version, position }) => [data.cents, version, position])).toEqual([
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
    ])
    expect(events[0]).toMatchObject({ stream: 'a', partition: 0, schemaVersion: 1 })
    expect(events[0]?.at).toBeInstanceOf(Date)
    expect(await all(store.read('b'))).toEqual([])
  })

  it('appends only at the version that is expected, and says what it found', async () => {
    const { store, other } = open()
    await store.append('a', [deposited(1)], { expected: 'none' })
    const wrong = other.append('a', [deposited(2)], { expected: 'none' })
    await expect(wrong).rejects.toThrow(EventConflictError)
    await expect(wrong).rejects.toMatchObject({
      code: 'LARDER_STREAM_CONFLICT',
      stream: 'a',
      expected: 'none',
      found: 1,
    })
    await expect(other.append('a', [deposited(2)], { expected: 3 })).rejects.toThrow(
      'A stream of accounts is at version 1, and an append expected version 3.',
    )
    expect((await other.append('a', [deposited(2)], { expected: 1 })).version).toBe(2)
    await expect(store.append('b', [], { expected: 'exists' })).rejects.toThrow(EventConflictError)
  })

  it('lets exactly one of many appends win each version', async () => {
    const { store, other } = open()
    for (let version = 0; version < 5; version++) {
      const tries = await Promise.allSettled(
        Array.from({ length: 50 }, (_, i) =>
          (i % 2 === 0 ? store : other).append('a', [deposited(i)], { expected: version }),
        ),
      )
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    }
    expect((await all(store.read('a'))).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5])
  })

  it('adds nothing when an append is repeated with its id, whatever has happened since', async () => {
    const { store, other } = open()
    const first = await store.append('a', [deposited(1)], { expected: 'none', id: 'request 7' })
    await other.append('a', [deposited(2)])
    const again = await other.append('a', [deposited(1)], { expected: 'none', id: 'request 7' })
    expect(again).toEqual({ ...first, isDuplicate: true })
    expect(await all(store.read('a'))).toHaveLength(2)
  })

  it('takes batches of none and of a thousand, and refuses larger ones', async () => {
    const { store } = open()
    expect(await store.append('a', [])).toEqual({ version: 0, isDuplicate: false })
    const thousand = Array.from({ length: 1_000 }, (_, i) => deposited(i))
    expect((await store.append('a', thousand, { expected: 'none' })).version).toBe(1_000)
    expect((await all(store.read('a'))).map(({ data }) => data.cents)).toEqual(
      thousand.map(({ cents }) => cents),
    )
    await expect(store.append('a', [...thousand, deposited(0)])).rejects.toThrow(
      /append\.events\.length/,
    )
    const small = createEventStore<string>(openTwo(place)[0], { name: 's', maxEventBytes: '1kb' })
    await expect(small.append('a', ['fits', 'x'.repeat(2_000)])).rejects.toThrow(
      /append\.events\[1\].*at most 1024 bytes/,
    )
    expect(await all(small.read('a'))).toEqual([])
  })

  it('refuses what the schema or the codec refuses, and appends nothing of it', async () => {
    const { store, managers } = open()
    const wrong = { type: 'stolen' } as unknown as Deposit
    await expect(store.append('a', [deposited(1), wrong])).rejects.toThrow(MessageInvalidError)
    const free = createEventStore(managers[0], { name: 'free' })
    await expect(free.append('a', [1, () => 1])).rejects.toThrow(ValueError)
    expect(await all(store.readAll())).toEqual([])
    expect(await all(free.readAll())).toEqual([])
  })

  it('reads parts of a stream, in both directions, across pages', async () => {
    const { store } = open()
    await store.append(
      'a',
      Array.from({ length: 500 }, (_, i) => deposited(i + 1)),
    )
    const versions = async (options: Parameters<EventStore<Deposit, Deposit>['read']>[1]) =>
      (await all(store.read('a', options))).map(({ version }) => version)
    expect(await versions({ from: 3, to: 5 })).toEqual([3, 4, 5])
    expect(await versions({ from: 499 })).toEqual([499, 500])
    expect(await versions({ limit: 2 })).toEqual([1, 2])
    expect(await versions({ limit: 0 })).toEqual([])
    expect(await versions({ from: 501 })).toEqual([])
    expect(await versions({ backwards: true, limit: 3 })).toEqual([500, 499, 498])
    expect(await versions({ backwards: true, from: 2, to: 4 })).toEqual([4, 3, 2])
    const back = await versions({ backwards: true })
    expect(back).toEqual((await versions({})).reverse())
    expect(back).toHaveLength(500)
  })

  it('spreads streams over partitions, each with an order of all its events', async () => {
    const { store, other } = open({ partitions: 4 })
    for (let i = 0; i < 40; i++)
      await (i % 2 === 0 ? store : other).append(`s${i % 10}`, [deposited(i)])
    const events = await all(other.readAll())
    expect(events).toHaveLength(40)
    const used = new Set(events.map(({ partition }) => partition))
    expect(used.size).toBeGreaterThan(1)
    for (const partition of used) {
      const own = await all(store.readAll({ partition }))
      expect(own.map(({ position }) => position)).toEqual(own.map((_, i) => i + 1))
      const cents = own.map(({ data }) => data.cents)
      expect(cents).toEqual(cents.toSorted((a, b) => a - b))
      expect(await all(store.readAll({ partition, after: 1 }))).toEqual(own.slice(1))
    }
  })

  it('refuses another number of partitions than the event store was begun with', async () => {
    const { store, managers } = open({ partitions: 4 })
    await store.append('a', [deposited(1)])
    const wrong = createEventStore(managers[1], { name: 'accounts', partitions: 8 })
    await expect(wrong.append('a', [1])).rejects.toThrow(/createEventStore\.partitions.*4, with/)
    await expect(all(wrong.read('a'))).rejects.toThrow(InvalidOptionError)
  })

  it('makes today’s events of old ones, and fails loudly for what it cannot read', async () => {
    const { managers } = open()
    const old = createEventStore(managers[0], { name: 'accounts' })
    await old.append('a', [{ amount: 5 }])
    await old.append('a', [{ nonsense: true }])
    const today = createEventStore(managers[1], {
      name: 'accounts',
      schema: DEPOSIT,
      schemaVersion: 2,
      upcast(data, { schemaVersion }) {
        const { amount } = data as { amount?: number }
        return schemaVersion === 1 && amount !== undefined ? deposited(amount * 100) : data
      },
    })
    const [first] = await all(today.read('a', { limit: 1 }))
    expect(first).toMatchObject({ data: deposited(500), schemaVersion: 1 })
    await expect(all(today.read('a'))).rejects.toThrow(MessageInvalidError)
    await today.append('b', [deposited(1)])
    expect((await all(today.read('b')))[0]?.schemaVersion).toBe(2)
  })

  it('takes any text for the name of a stream', async () => {
    const { store } = open({ partitions: 3 })
    const names = [
      'a:b',
      '{x}',
      '}:log',
      ':id:x',
      'a\0b',
      'ü☃',
      ' ',
      '"',
      '\r\n',
      's'.repeat(1_000),
    ]
    for (const [i, name] of names.entries()) await store.append(name, [deposited(i)])
    for (const [i, name] of names.entries())
      expect(await all(store.read(name))).toMatchObject([{ stream: name, data: deposited(i) }])
    for (const name of ['', '\ud800', 's'.repeat(1_001), 7, null, {}])
      await expect(store.append(name as string, [])).rejects.toThrow(/append\.stream/)
  })

  it('puts events together to a state, from a snapshot on where there is one', async () => {
    const { store } = open()
    const cache = snapshots()
    let applied = 0
    const fold = {
      initial: () => 0,
      apply: (sum: number, { data }: { readonly data: Deposit }) => {
        applied += 1
        return sum + data.cents
      },
      snapshot: { cache, every: 5 },
    }
    expect(await store.fold('a', fold)).toEqual({ state: 0, version: 0 })
    await store.append('a', [1, 2, 3, 4].map(deposited))
    expect(await store.fold('a', fold)).toEqual({ state: 10, version: 4 })
    await store.append('a', [deposited(5)])
    expect(await store.fold('a', fold)).toEqual({ state: 15, version: 5 })
    await store.append('a', [deposited(6)])
    applied = 0
    expect(await store.fold('a', fold)).toEqual({ state: 21, version: 6 })
    expect(applied).toBe(1)
    applied = 0
    const raised = { ...fold, snapshot: { cache, every: 5, version: 1 } }
    expect(await store.fold('a', raised)).toEqual({ state: 21, version: 6 })
    expect(applied).toBe(6)
    await cache.clear()
    expect(await store.fold('a', fold)).toEqual({ state: 21, version: 6 })
  })

  it('uses no snapshot of events that are not there', async () => {
    const cache = snapshots()
    const fold = {
      initial: () => 0,
      apply: (sum: number, { data }: { readonly data: Deposit }) => sum + data.cents,
      snapshot: { cache, every: 1 },
    }
    const { store: lost } = open()
    await lost.append('a', [1, 2, 3].map(deposited))
    expect(await lost.fold('a', fold)).toEqual({ state: 6, version: 3 })
    // As if the server had been restored from a backup: a shorter stream, then other events.
    const { store: restored } = open()
    await restored.append('a', [deposited(1)])
    expect(await restored.fold('a', fold)).toEqual({ state: 1, version: 1 })
    await lost.fold('a', fold)
    await restored.append('b', [deposited(0)])
    await restored.append('a', [10, 20].map(deposited))
    expect(await restored.fold('a', fold)).toEqual({ state: 31, version: 3 })
  })

  it.each<[string, (store: EventStore<Deposit, Deposit>) => unknown]>([
    ['append.expected', (store) => store.append('a', [], { expected: -1 })],
    ['append.expected', (store) => store.append('a', [], { expected: 1.5 })],
    ['append.expected', (store) => store.append('a', [], { expected: 'some' as never })],
    ['append.id', (store) => store.append('a', [], { id: '' })],
    ['append.events', (store) => store.append('a', 'x' as never)],
    ['read.from', (store) => store.read('a', { from: -1 })],
    ['read.limit', (store) => store.read('a', { limit: 1.5 })],
    ['readAll.after', (store) => store.readAll({ after: 3 })],
    ['readAll.partition', (store) => store.readAll({ partition: 1 })],
    ['project.name', (store) => store.project('a:b', () => 1)],
    ['project.handler', (store) => store.project('a', 1 as never)],
    ['project.lease', (store) => store.project('a', () => 1, { lease: 5 })],
    ['fold.apply', (store) => store.fold('a', { initial: () => 1 } as never)],
  ])('refuses what is wrong in %s', async (option, call) => {
    const { store } = open()
    await expect(async () => call(store)).rejects.toThrow(InvalidOptionError)
    await expect(async () => call(store)).rejects.toThrow(option)
  })

  it('is over with its manager', async () => {
    const { store, managers } = open()
    await managers[0].close()
    await expect(store.append('a', [deposited(1)])).rejects.toThrow(ClosedError)
    expect(() => store.project('p', () => 1)).toThrow(ClosedError)
    await expect(all(store.read('a'))).rejects.toThrow(ClosedError)
  })
})
