/** Changes are announced at once while messages take little of the server's time, and together while they take much. */

import type { BusMessage, KeysMessage, RemoteStore } from '@larder/core/store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../../test/support/eventually.ts'
import { type RedisServer, startRedis } from '../../../../test/support/redis/redis-server.ts'
import {
  at,
  claim,
  entry,
  HARD,
  HOUR_MS,
  listen,
  openStore,
  put,
  type Recorder,
} from '../../testing/stage.ts'
import { headsKey, owedKey } from '../key-layout.ts'

const NAMESPACE = 'shop'
const HEADS = headsKey(NAMESPACE)
const OWED = owedKey(NAMESPACE)
const PAID_AT = 512
/** Changes wait while messages are paid for further ahead than this. */
const AHEAD_MS = 50
const PARTITIONS = Array.from({ length: 64 }, (_, i) => i)

interface Stage {
  readonly server: RedisServer
  readonly store: RemoteStore
  readonly recorder: Recorder
}

async function stage(): Promise<Stage> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const store = openStore({ url: server.url }, NAMESPACE)
  await store.sync(PARTITIONS)
  const recorder = listen(store, NAMESPACE)
  await eventually('it is subscribed', () => recorder.states.includes('up'))
  return { server, store, recorder }
}

/** As if messages had taken so much of the server's time that they are paid for up to so many ms from now. */
async function load(server: RedisServer, aheadMs: number, flag = 0): Promise<void> {
  const lua =
    "local t = redis.call('TIME'); redis.call('SETRANGE', KEYS[1], 512, struct.pack('>dB', t[1] * 1000000 + t[2] + ARGV[1] * 1000, ARGV[2]))"
  await server.command('EVAL', lua, 1, HEADS, aheadMs, flag)
}

/** For how long messages are paid for, µs. */
async function paidAheadUs(server: RedisServer): Promise<number> {
  const lua =
    "local t = redis.call('TIME'); local b = redis.call('GETRANGE', KEYS[1], ARGV[1], ARGV[1] + 7); return struct.unpack('>d', b) - t[1] * 1000000 - t[2]"
  return Number(await server.command('EVAL', lua, 1, HEADS, PAID_AT))
}

function keysIn(messages: readonly BusMessage[]): readonly string[] {
  return changesIn(messages).flatMap(({ keys }) => keys)
}

function changesIn(messages: readonly BusMessage[]): readonly KeysMessage[] {
  return messages.filter((message): message is KeysMessage => message.kind === 'keys')
}

async function publishes(server: RedisServer): Promise<number> {
  const stats = String(await server.command('INFO', 'commandstats'))
  return Number(/cmdstat_publish:calls=(\d+)/.exec(stats)?.[1] ?? 0)
}

describe('a change that comes alone', () => {
  it('is announced at once, and moves the instant up to which messages are paid for', async () => {
    const { server, store, recorder } = await stage()
    await load(server, 40)
    const [reply] = await store.evict([at('k')], HARD)
    expect(reply).not.toHaveProperty('announcedWithinMs')
    expect(await server.command('EXISTS', OWED)).toBe(0)
    await eventually('it is heard', () => keysIn(recorder.messages).includes('c:k'))
    await server.command('CONFIG', 'RESETSTAT')
    await load(server, 0)
    await store.evict([at('k')], HARD)
    expect(await publishes(server)).toBe(1)
    expect(await paidAheadUs(server)).toBeLessThan(AHEAD_MS * 1_000)
  })

  it('is announced at once where the clock was set back since messages were paid for', async () => {
    const { server, store } = await stage()
    await load(server, 3_600_000)
    expect((await store.evict([at('k')], HARD))[0]).not.toHaveProperty('announcedWithinMs')
  })
})

describe('changes under load', () => {
  it('wait together for one message, which who left the first of them sends', async () => {
    const { server, store, recorder } = await stage()
    const other = openStore({ url: server.url }, NAMESPACE)
    await other.sync([1])
    await server.command('CONFIG', 'RESETSTAT')
    await load(server, 500)
    const [first] = await store.evict([at('a')], HARD)
    const [second] = await other.evict([at('b')], { soft: true, settleMs: 100 })
    const third = await other.put(at('c', 7), put())
    for (const reply of [first, second, third])
      expect(reply?.announcedWithinMs).toBeGreaterThan(AHEAD_MS)
    expect(await publishes(server)).toBe(0)
    await eventually('they are heard', () => keysIn(recorder.messages).length === 3)
    expect(await publishes(server)).toBe(1)
    expect(changesIn(recorder.messages)).toEqual([
      { kind: 'keys', partition: 3, previous: first?.previous, seq: first?.seq, keys: ['c:a'] },
      {
        kind: 'keys',
        partition: 3,
        previous: first?.seq,
        seq: second?.seq,
        keys: ['c:b'],
        soft: true,
        settleMs: 100,
      },
      { kind: 'keys', partition: 7, previous: third.previous, seq: third.seq, keys: ['c:c'] },
    ])
    expect(await server.command('EXISTS', OWED)).toBe(0)
  })

  it('are announced with the next one that is, where who owes it does not', async () => {
    const { server, store, recorder } = await stage()
    const other = openStore({ url: server.url }, NAMESPACE)
    await other.sync([1])
    await load(server, 1_900)
    await store.evict([at('a')], HARD)
    // Long before its time has come, as if its process had died and the time were over.
    await load(server, 0, 1)
    await other.evict([at('b')], HARD)
    await eventually('both are heard', () => keysIn(recorder.messages).length === 2)
    expect(keysIn(recorder.messages)).toEqual(['c:a', 'c:b'])
  })

  it('are announced before a node closes that owes it', async () => {
    const { server, store, recorder } = await stage()
    const other = openStore({ url: server.url }, NAMESPACE)
    await other.sync([1])
    await load(server, 1_900)
    await other.evict([at('a')], HARD)
    await other.close()
    await eventually('it is heard', () => keysIn(recorder.messages).includes('c:a'))
    await store.evict([at('b')], HARD)
  })

  it('do not wait where they are many', async () => {
    const { server, store, recorder } = await stage()
    await load(server, 1_900)
    const keys = Array.from({ length: 300 }, (_, i) => at(`${i}`.padEnd(300, 'x')))
    await store.evict(keys, HARD)
    await eventually('they are heard', () => keysIn(recorder.messages).length === 300)
  })

  it('are in the log while they wait, and syncs tell when they will have been heard of', async () => {
    const { server, store } = await stage()
    const before = (await store.sync(PARTITIONS)).heads[3] ?? 0
    await load(server, 1_900)
    const [reply] = await store.evict([at('a')], HARD)
    const told = await store.sync(PARTITIONS)
    expect(told.heads[3]).toBe(reply?.seq)
    expect(told.announcedWithinMs).toBeGreaterThan(0)
    expect(await store.changesSince(3, before)).toMatchObject({ keys: ['c:a'] })
    await load(server, 0, 1)
    await store.evict([at('b')], HARD)
    expect(await store.sync(PARTITIONS)).not.toHaveProperty('announcedWithinMs')
  })

  it.each<[string, (store: RemoteStore) => Promise<unknown>]>([
    ['an eviction', (store) => store.evict([at('k')], HARD)],
    ['a soft eviction', (store) => store.evict([at('k')], { soft: true, settleMs: 0 })],
    ['a put', (store) => store.put(at('k'), put())],
    [
      'an update',
      async (store) => {
        const since = (await store.sync(PARTITIONS)).heads[3] ?? 0
        return store.swap?.(at('k'), {
          bytes: entry({ commit: 9 }),
          livesMs: HOUR_MS,
          seen: 0,
          since,
        })
      },
    ],
  ])('that somebody waits for do not wait: %s', async (_name, change) => {
    const { server, store, recorder } = await stage()
    await store.claim(at('k'), claim(1))
    expect((await store.claim(at('k'), claim(2))).kind).toBe('held')
    await load(server, 1_900)
    await store.evict([at('other')], HARD)
    expect(await server.command('EXISTS', OWED)).toBe(1)
    expect(await change(store)).not.toHaveProperty('announcedWithinMs')
    expect(await server.command('EXISTS', OWED)).toBe(0)
    await eventually('it is heard', () => keysIn(recorder.messages).length === 2)
    expect(keysIn(recorder.messages)).toEqual(['c:other', 'c:k'])
  })
})

describe('what waits to be announced and is lost', () => {
  it('is missing between messages, and in the log', async () => {
    const { server, store, recorder } = await stage()
    await load(server, 1_900)
    const [lost] = await store.evict([at('a')], HARD)
    await server.command('DEL', OWED)
    await load(server, 0, 1)
    await store.evict([at('b')], HARD)
    await eventually('the next one is heard', () => keysIn(recorder.messages).length > 0)
    expect(keysIn(recorder.messages)).toEqual(['c:b'])
    expect(changesIn(recorder.messages)[0]?.previous).toBe(lost?.seq)
    expect(await store.changesSince(3, lost?.previous ?? 0)).toMatchObject({ keys: ['c:a', 'c:b'] })
  })

  it('together with the heads is not announced later, as news', async () => {
    const { server, store, recorder } = await stage()
    await load(server, 1_900)
    await store.evict([at('a')], HARD)
    await server.command('DEL', HEADS)
    await load(server, 300)
    await store.evict([at('b')], HARD)
    await eventually('the next one is heard', () => keysIn(recorder.messages).includes('c:b'))
    expect(keysIn(recorder.messages)).toEqual(['c:b'])
  })
})
