/** What the scripts do to one entry: leases, settle windows, waiters. The shared conformance suite covers the contract. */

import { FLAG, HEADER_BYTES, OFFSET, type RemoteStore } from '@larder/core/store'
import { Redis } from 'ioredis'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../../test/support/eventually.ts'
import { sharedRedisUrl } from '../../../../test/support/redis/shared-redis.ts'
import {
  at,
  claim,
  entry,
  freshNamespace,
  HARD,
  HOUR_MS,
  headerOf,
  LEASE_MS,
  listen,
  openStore,
  put,
  SOFT,
} from '../../testing/stage.ts'
import { entryKey } from '../key-layout.ts'

const SLACK_MS = 1_000
const WINDOW_MS = 60_000

let namespace: string
let store: RemoteStore
let redis: Redis

beforeEach(() => {
  namespace = freshNamespace()
  store = openStore({ url: sharedRedisUrl() }, namespace)
  redis = new Redis(sharedRedisUrl())
  onTestFinished(() => redis.disconnect())
})

const keyOf = (key: string): string => entryKey(namespace, 3, `c:${key}`)

/** Makes an entry older than it is, as its header tells it. */
async function age(key: string, ms: number): Promise<void> {
  const header = await headerOf(store, at(key))
  const created = Buffer.alloc(6)
  created.writeUIntBE((header?.createdAt ?? 0) - ms, 0, 6)
  await redis.setrange(keyOf(key), OFFSET.createdAt, created)
}

/** Lets the lease on an entry run out. */
async function expireLease(key: string): Promise<void> {
  await redis.setrange(keyOf(key), OFFSET.leaseDeadline, Buffer.from([0, 0, 0, 0, 0, 1]))
}

describe('claim', () => {
  it('leaves a header without a value that outlives the lease a little', async () => {
    await store.claim(at('k'), claim(11))
    expect(await headerOf(store, at('k'))).toMatchObject({
      flags: FLAG.empty,
      commit: 0,
      leaseToken: 11,
    })
    expect(await redis.strlen(keyOf('k'))).toBe(HEADER_BYTES)
    const left = await redis.pttl(keyOf('k'))
    expect(left).toBeGreaterThan(LEASE_MS)
    expect(left).toBeLessThanOrEqual(LEASE_MS + SLACK_MS)
  })

  it('writes the waiter down once and keeps the lease as it is', async () => {
    await store.claim(at('k'), claim(11))
    const before = await headerOf(store, at('k'))
    await store.claim(at('k'), claim(22))
    await store.claim(at('k'), claim(33))
    const after = await headerOf(store, at('k'))
    expect(after).toEqual({ ...before, flags: FLAG.empty | FLAG.waited })
  })

  it('grants over a lease that ran out, and remembers who waits', async () => {
    await store.claim(at('k'), claim(11))
    await store.claim(at('k'), claim(22))
    await expireLease('k')
    expect((await store.claim(at('k'), claim(22))).kind).toBe('granted')
    expect(await headerOf(store, at('k'))).toMatchObject({
      flags: FLAG.empty | FLAG.waited,
      leaseToken: 22,
    })
  })

  it('keeps value and life when it grants over them', async () => {
    await store.put(at('k'), put())
    await store.claim(at('k'), claim(11, { seen: 1 }))
    const [bytes] = await store.read([at('k')])
    expect(bytes?.subarray(HEADER_BYTES)).toEqual(entry().subarray(HEADER_BYTES))
    expect(await redis.pttl(keyOf('k'))).toBeGreaterThan(HOUR_MS - 60_000)
  })

  it('lets a value that is about to go live as long as the lease', async () => {
    await store.put(at('k'), { ...put(), livesMs: 500 })
    await store.claim(at('k'), claim(11, { seen: 1 }))
    expect(await redis.pttl(keyOf('k'))).toBeGreaterThan(LEASE_MS)
  })

  it('grants over what somebody filled when it is stale or no longer fresh', async () => {
    await store.put(at('stale'), put())
    await store.evict([at('stale')], SOFT)
    expect((await store.claim(at('stale'), claim(11))).kind).toBe('granted')
    await store.put(at('old'), put(entry({ freshForMs: 1_000 })))
    await age('old', 1_001)
    expect((await store.claim(at('old'), claim(11))).kind).toBe('granted')
  })

  it('answers with fresh news even while somebody refreshes it', async () => {
    await store.put(at('k'), put())
    await store.claim(at('k'), claim(11, { seen: 1 }))
    expect((await store.claim(at('k'), claim(22, { seen: 0 }))).kind).toBe('filled')
  })

  it.each<[string, (key: string) => Promise<unknown>]>([
    ['short bytes', (key) => redis.set(key, 'x')],
    ['foreign bytes', (key) => redis.set(key, 'x'.repeat(100))],
    ['another format', (key) => redis.set(key, Buffer.concat([Buffer.from([0xca, 9]), entry()]))],
    ['a list', (key) => redis.rpush(key, 'x')],
  ])('takes %s for nothing, and puts its lease there', async (_, spoil) => {
    await spoil(keyOf('k'))
    expect((await store.claim(at('k'), claim(11))).kind).toBe('granted')
    expect((await store.fill(at('k'), 11, entry(), HOUR_MS)).stored).toBe(true)
    expect(await headerOf(store, at('k'))).toMatchObject({ commit: 1, leaseToken: 0 })
  })
})

describe('renew and release', () => {
  it('moves the deadline, and the key with it', async () => {
    await store.claim(at('k'), claim(11, { leaseMs: 100 }))
    const before = await headerOf(store, at('k'))
    expect(await store.renew(at('k'), 11, LEASE_MS)).toBe(true)
    const after = await headerOf(store, at('k'))
    expect((after?.leaseDeadline ?? 0) - (before?.leaseDeadline ?? 0)).toBeGreaterThan(9_000)
    expect(await redis.pttl(keyOf('k'))).toBeGreaterThan(LEASE_MS)
  })

  it('removes a header without a value, and keeps a value without its lease', async () => {
    await store.claim(at('empty'), claim(11))
    await store.release(at('empty'), 11)
    expect(await redis.exists(keyOf('empty'))).toBe(0)
    await store.put(at('full'), put())
    await store.claim(at('full'), claim(11, { seen: 1 }))
    await store.release(at('full'), 11)
    expect(await headerOf(store, at('full'))).toMatchObject({
      flags: 0,
      commit: 1,
      leaseToken: 0,
      leaseDeadline: 0,
    })
  })

  it('keeps the settle window when a load in it fails', async () => {
    await store.evict([at('k')], { soft: false, settleMs: WINDOW_MS })
    await store.claim(at('k'), claim(11))
    await store.release(at('k'), 11)
    await store.claim(at('k'), claim(22))
    const { livesMs } = await store.fill(at('k'), 22, entry(), HOUR_MS)
    expect(livesMs).toBeLessThanOrEqual(WINDOW_MS)
  })
})

describe('fill', () => {
  it('stores after the deadline as long as nobody took over', async () => {
    await store.claim(at('k'), claim(11))
    await expireLease('k')
    expect((await store.fill(at('k'), 11, entry(), HOUR_MS)).stored).toBe(true)
  })

  it('stores once: the lease ends with it', async () => {
    await store.claim(at('k'), claim(11))
    expect((await store.fill(at('k'), 11, entry({ commit: 1 }), HOUR_MS)).stored).toBe(true)
    expect((await store.fill(at('k'), 11, entry({ commit: 2 }), HOUR_MS)).stored).toBe(false)
    expect(await headerOf(store, at('k'))).toMatchObject({ commit: 1 })
  })

  it('stores nothing where the entry was lost', async () => {
    await store.claim(at('k'), claim(11))
    await redis.del(keyOf('k'))
    expect(await store.fill(at('k'), 11, entry(), HOUR_MS)).toMatchObject({ stored: false })
    expect(await redis.exists(keyOf('k'))).toBe(0)
  })

  it('takes parts of a millisecond for whole ones', async () => {
    await store.claim(at('k'), claim(11))
    expect(await store.fill(at('k'), 11, entry(), 0.2)).toMatchObject({ stored: true, livesMs: 1 })
  })

  it('takes bytes that are a view of something larger', async () => {
    const bytes = entry()
    const larger = new Uint8Array(bytes.length + 20).fill(9)
    larger.set(bytes, 10)
    await store.claim(at('k'), claim(11))
    await store.fill(at('k'), 11, larger.subarray(10, 10 + bytes.length), HOUR_MS)
    const [found] = await store.read([at('k')])
    expect(found?.length).toBe(bytes.length)
    expect(found?.subarray(HEADER_BYTES)).toEqual(bytes.subarray(HEADER_BYTES))
  })
})

describe('a settle window', () => {
  const settle = (settleMs: number) => store.evict([at('k')], { soft: false, settleMs })

  async function fillOnce(token: number, commit: number): Promise<number> {
    const seen = (await headerOf(store, at('k')))?.commit ?? 0
    await store.claim(at('k'), claim(token, { seen }))
    return (await store.fill(at('k'), token, entry({ commit }), HOUR_MS)).livesMs
  }

  it('limits every time in the header', async () => {
    await settle(WINDOW_MS)
    const livesMs = await fillOnce(11, 1)
    expect(livesMs).toBeLessThanOrEqual(WINDOW_MS)
    expect(await headerOf(store, at('k'))).toMatchObject({
      freshForMs: livesMs,
      staleForMs: livesMs,
      livesForMs: livesMs,
    })
    expect(await redis.pttl(keyOf('k'))).toBeLessThanOrEqual(livesMs)
  })

  it('limits a refresh within it too', async () => {
    await settle(WINDOW_MS)
    await fillOnce(11, 1)
    expect(await fillOnce(22, 2)).toBeLessThanOrEqual(WINDOW_MS)
    expect(await headerOf(store, at('k'))).toMatchObject({ commit: 2 })
  })

  it('outlasts a later eviction with a shorter one, or with none', async () => {
    await settle(WINDOW_MS)
    await settle(100)
    await store.evict([at('k')], HARD)
    await store.evict([at('k')], SOFT)
    const livesMs = await fillOnce(11, 1)
    expect(livesMs).toBeGreaterThan(WINDOW_MS - 30_000)
    expect(livesMs).toBeLessThanOrEqual(WINDOW_MS)
  })

  it('is lengthened by a longer one', async () => {
    await settle(1_000)
    await settle(WINDOW_MS)
    expect(await fillOnce(11, 1)).toBeGreaterThan(WINDOW_MS - 30_000)
  })

  it('voids the lease of a load that began before it', async () => {
    await store.claim(at('k'), claim(11))
    await settle(WINDOW_MS)
    expect((await store.fill(at('k'), 11, entry(), HOUR_MS)).stored).toBe(false)
  })

  it('ends with a put', async () => {
    await settle(WINDOW_MS)
    await store.put(at('k'), put())
    expect(await fillOnce(11, 2)).toBe(HOUR_MS)
  })

  it('leaves nothing behind when it is over', async () => {
    await settle(20)
    await eventually('the marker is gone', async () => (await redis.exists(keyOf('k'))) === 0)
  })
})

describe('evict', () => {
  it('removes whatever is stored there, of any type', async () => {
    await redis.rpush(keyOf('list'), 'x')
    await redis.set(keyOf('text'), 'x')
    await store.evict([at('list'), at('text')], HARD)
    expect(await redis.exists(keyOf('list'), keyOf('text'))).toBe(0)
  })

  it('removes softly what it cannot mark: leases, and bytes of another format', async () => {
    await store.claim(at('lease'), claim(11))
    await redis.set(keyOf('other'), Buffer.concat([Buffer.from([0xca, 2]), entry().subarray(2)]))
    await store.evict([at('lease'), at('other'), at('none')], SOFT)
    expect(await redis.exists(keyOf('lease'), keyOf('other'), keyOf('none'))).toBe(0)
  })

  it('keeps bytes and life of what it softens, and voids the lease', async () => {
    await store.put(at('k'), put())
    await store.claim(at('k'), claim(11, { seen: 1 }))
    await store.claim(at('k'), claim(22, { seen: 1 }))
    await store.evict([at('k')], SOFT)
    expect(await headerOf(store, at('k'))).toMatchObject({
      flags: FLAG.stale,
      commit: 1,
      leaseToken: 0,
      leaseDeadline: 0,
    })
    expect(await redis.pttl(keyOf('k'))).toBeGreaterThan(HOUR_MS - 60_000)
    expect((await store.fill(at('k'), 11, entry(), HOUR_MS)).stored).toBe(false)
  })

  it('takes the same key twice in one call', async () => {
    await store.put(at('k'), put())
    const replies = await store.evict([at('k'), at('k')], HARD)
    expect(replies).toHaveLength(1)
    expect(await redis.exists(keyOf('k'))).toBe(0)
  })

  it('does nothing for no keys', async () => {
    expect(await store.evict([], HARD)).toEqual([])
  })

  it('says in one message what one step changed, and wakes by it', async () => {
    const other = openStore({ url: sharedRedisUrl() }, namespace)
    const recorder = listen(other, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    const keys = Array.from({ length: 501 }, (_, n) => at(`${n}`))
    const replies = await store.evict(keys, HARD)
    expect(replies).toHaveLength(2)
    await eventually('both are told', () => recorder.messages.length === 2)
    const told = recorder.messages.flatMap((message) =>
      message.kind === 'keys' ? [[message.previous, message.seq, message.keys.length]] : [],
    )
    expect(told).toEqual([
      [replies[0]?.previous, replies[0]?.seq, 500],
      [replies[0]?.seq, replies[1]?.seq, 1],
    ])
  })
})

it('lives with every kind of text in a key', async () => {
  for (const key of ['}', '{x}', ' ', '\0\n"\'', '☃𝄞', "'; return 1 --", '%s%d']) {
    await store.put(at(key), put())
    expect(await headerOf(store, at(key))).toMatchObject({ commit: 1 })
    const { seq } = await store.put(at(key), put())
    const [reply] = await store.evict([at(key)], HARD)
    expect(await store.changesSince(3, seq)).toMatchObject({ keys: [`c:${key}`] })
    expect(reply?.previous).toBe(seq)
  }
})
