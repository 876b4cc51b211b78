/** What the scripts do to partition logs and the tag clock: minting, bounds, loss. */

import type { RemoteStore } from '@larder/core/store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../../test/support/eventually.ts'
import { type RedisServer, startRedis } from '../../../../test/support/redis/redis-server.ts'
import { at, claim, entry, HARD, HOUR_MS, openStore, put, SOFT } from '../../testing/stage.ts'
import { logKey, tagsKey } from '../key-layout.ts'

const NAMESPACE = 'shop'
const LOG = logKey(NAMESPACE, 3)
const TAGS = tagsKey(NAMESPACE)
const LOG_CAP = 512
const TRIM = 64
const TAG_CAP = 100_000
const US_PER_MS = 1_000
/** How far apart numbers may be that are minted while the clock is behind, µs. */
const SPREAD_US = 4_096

interface Stage {
  readonly server: RedisServer
  readonly store: RemoteStore
}

/** A server of the test's own: to flush, fill up and look into. */
async function stage(): Promise<Stage> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  return { server, store: openStore({ url: server.url }, NAMESPACE) }
}

async function headOf(store: RemoteStore): Promise<number> {
  const head = (await store.sync([3])).heads[0]
  if (head === undefined) throw new Error('The head is unknown')
  return head
}

/** The server's clock, µs. */
async function usOf(server: RedisServer): Promise<number> {
  const [seconds, us] = (await server.command('TIME')) as [string, string]
  return Number(seconds) * 1_000_000 + Number(us)
}

async function score(server: RedisServer, key: string, member: string): Promise<number> {
  return Number(await server.command('ZSCORE', key, member))
}

/** Tells whether a number follows on one that is ahead of the clock. */
function isNext(number: number, last: number): boolean {
  return Number.isInteger(number) && number > last && number <= last + SPREAD_US
}

describe('a partition log', () => {
  it("begins at the server's clock, and is one key without expiry", async () => {
    const { server, store } = await stage()
    const { nowMs, heads } = await store.sync([3])
    expect(Math.abs((heads[0] ?? 0) / US_PER_MS - nowMs)).toBeLessThan(1_000)
    expect(await server.command('KEYS', '*3}*')).toEqual([LOG])
    expect(await server.command('TTL', LOG)).toBe(-1)
    expect(await headOf(store)).toBe(heads[0])
  })

  it('mints above its last number, even where that is ahead of the clock', async () => {
    const { server, store } = await stage()
    const ahead = (await headOf(store)) + 10 ** 12
    await server.command('ZADD', LOG, -ahead, '!seq')
    const [first] = await store.evict([at('a')], HARD)
    const [second] = await store.evict([at('b')], HARD)
    if (first === undefined || second === undefined) throw new Error('A change has no number')
    expect([first.previous, second.previous]).toEqual([ahead, first.seq])
    for (const { seq, previous } of [first, second]) expect(isNext(seq, previous)).toBe(true)
    expect(await store.changesSince(3, first.seq)).toEqual({
      kind: 'delta',
      seq: second.seq,
      keys: ['c:b'],
      numbers: [second.seq],
    })
  })

  it('does not give the numbers of a lost history to other changes, even where that is ahead of the clock', async () => {
    const { server, store } = await stage()
    const ahead = (await headOf(store)) + 10 ** 12
    const seqs: (number | undefined)[] = []
    for (let n = 0; n < 5; n++) {
      await server.command('ZADD', LOG, -ahead, '!seq')
      seqs.push((await store.evict([at(`${n}`)], HARD))[0]?.seq)
    }
    expect(new Set(seqs).size).toBeGreaterThan(1)
  })

  it('refuses to leave the whole numbers, before it changes anything', async () => {
    const { server, store } = await stage()
    await store.put(at('k'), put())
    await server.command('ZADD', LOG, -(2 ** 53), '!seq')
    await expect(store.evict([at('k')], HARD)).rejects.toThrow(/whole numbers/)
    expect(await server.command('ZCARD', LOG)).toBe(3)
  })

  it('holds 512 changes at most, drops 64 at a time, and knows how far back it reaches', async () => {
    const { server, store } = await stage()
    const seqs: number[] = [await headOf(store)]
    const change = async (): Promise<void> => {
      const [reply] = await store.evict([at(`${seqs.length}`)], HARD)
      seqs.push(reply?.seq ?? 0)
    }
    for (let n = 0; n < LOG_CAP; n++) await change()
    expect(await server.command('ZCARD', LOG)).toBe(LOG_CAP + 2)
    expect(await store.changesSince(3, seqs[0] as number)).toMatchObject({ kind: 'delta' })
    await change()
    expect(await server.command('ZCARD', LOG)).toBe(LOG_CAP - TRIM + 2)
    const floor = seqs[1 + TRIM] as number
    expect(await score(server, LOG, '!floor')).toBe(-floor)
    for (const lost of seqs.slice(0, 1 + TRIM)) {
      expect((await store.changesSince(3, lost)).kind).toBe('unknown')
    }
    const changes = await store.changesSince(3, floor)
    expect(changes.kind === 'delta' && changes.keys.length).toBe(LOG_CAP - TRIM)
    expect(changes.kind === 'delta' && changes.keys[0]).toBe(`c:${2 + TRIM}`)
  })

  it('trims a change that is larger than itself, and does not pretend to know it', async () => {
    const { store } = await stage()
    const before = await headOf(store)
    const many = Array.from({ length: 1_200 }, (_, n) => at(`${n}`))
    const replies = await store.evict(many, HARD)
    expect((await store.changesSince(3, before)).kind).toBe('unknown')
    const last = replies.at(-1)?.seq ?? 0
    expect(await store.changesSince(3, last)).toEqual({
      kind: 'delta',
      seq: last,
      keys: [],
      numbers: [],
    })
  })

  it('begins anew, with a number that was never given, when it is lost', async () => {
    const { server, store } = await stage()
    const [reply] = await store.evict([at('k')], HARD)
    const before = reply?.seq ?? 0
    await server.command('DEL', LOG)
    const after = await headOf(store)
    // Not always above it: a number may be ahead of the clock by as much as the numbers of one microsecond are apart.
    expect(after).not.toBe(before)
    expect(await store.changesSince(3, before)).toEqual({ kind: 'unknown', seq: after })
    expect((await store.put(at('k'), put(entry(), before))).stored).toBe(false)
  })

  it('does not take a number of another history for one of its own', async () => {
    const { store } = await stage()
    const before = await headOf(store)
    await store.evict([at('a')], HARD)
    const seq = await headOf(store)
    for (const foreign of [before - 1, before + 1, seq - 1, seq + 1, 2 ** 53 - 2]) {
      expect(await store.changesSince(3, foreign)).toEqual({ kind: 'unknown', seq })
    }
  })
})

describe('put with a number', () => {
  it('writes where only other keys changed, and evicts where this one did', async () => {
    const { store } = await stage()
    const since = await headOf(store)
    await store.evict([at('other'), at('k2')], HARD)
    expect((await store.put(at('k'), put(entry(), since))).stored).toBe(true)
    const refused = await store.put(at('k'), put(entry(), since))
    expect(refused.stored).toBe(false)
    expect(await store.read([at('k')])).toEqual([undefined])
    expect((await store.put(at('k'), put(entry(), refused.seq))).stored).toBe(true)
  })

  it('tells keys apart that end alike', async () => {
    const { store } = await stage()
    const since = await headOf(store)
    await store.evict([{ partition: 3, key: 'x:c:k' }], HARD)
    expect((await store.put(at('k'), put(entry(), since))).stored).toBe(true)
  })
})

describe('the tag clock', () => {
  it('mints above its own last version and above what the caller knows', async () => {
    const { store } = await stage()
    const first = await store.bumpTags(['a'], 0, HOUR_MS)
    const known = first.version + 10 ** 9 + 0.75
    const second = await store.bumpTags(['b', 'c'], known, HOUR_MS)
    expect(second.previous).toBe(first.version)
    expect(isNext(second.version, Math.floor(known))).toBe(true)
    const third = await store.bumpTags(['a'], 0, HOUR_MS)
    expect(isNext(third.version, second.version)).toBe(true)
    expect(await store.tagsSince(first.version)).toEqual({
      version: third.version,
      floor: first.floor,
      tags: [
        ['b', second.version],
        ['c', second.version],
        ['a', third.version],
      ],
    })
  })

  it('refuses numbers beyond 2^53, there and back', async () => {
    const { store } = await stage()
    const before = await store.sync([])
    await expect(store.bumpTags(['a'], 2 ** 53, HOUR_MS)).rejects.toThrow(RangeError)
    await expect(store.bumpTags(['a'], 2 ** 53 - 1, HOUR_MS)).rejects.toThrow(/whole numbers/)
    expect((await store.sync([])).tags).toEqual(before.tags)
  })

  it('forgets tags that no entry is older than, and raises the floor over them', async () => {
    const { server, store } = await stage()
    const old = await store.bumpTags(['old', 'old2'], 0, HOUR_MS)
    const version = old.version + 2 * HOUR_MS * US_PER_MS
    const bump = await store.bumpTags(['new'], version, HOUR_MS)
    expect(bump.floor).toBe(old.version)
    expect((await store.tagsSince(0)).tags).toEqual([['new', bump.version]])
    expect(await server.command('ZCARD', TAGS)).toBe(4)
    expect(await store.sync([])).toMatchObject({
      tags: { version: bump.version, floor: old.version },
    })
  })

  it('keeps tags as long as the node with the longest entries asks', async () => {
    const { store } = await stage()
    const old = await store.bumpTags(['old'], 0, 3 * HOUR_MS)
    await store.bumpTags(['new'], old.version + 2 * HOUR_MS * US_PER_MS, HOUR_MS)
    expect((await store.tagsSince(0)).tags.map(([tag]) => tag)).toEqual(['old', 'new'])
  })

  it('holds 100 000 tags, and drops the oldest beyond', async () => {
    const { server, store } = await stage()
    const first = await store.bumpTags(['oldest'], 0, HOUR_MS)
    const second = await store.bumpTags(['old'], 0, HOUR_MS)
    const many = Array.from({ length: TAG_CAP - 1 }, (_, n) => `tag ${n}`)
    const third = await store.bumpTags(many, 0, HOUR_MS)
    expect(third.floor).toBe(first.version)
    const last = await store.bumpTags(['newest'], 0, HOUR_MS)
    expect(last.floor).toBe(second.version)
    expect(await server.command('ZCARD', TAGS)).toBe(TAG_CAP + 3)
    const known = await store.tagsSince(second.version)
    expect(known.tags).toHaveLength(TAG_CAP)
    expect(known.tags.at(-1)).toEqual(['newest', last.version])
  }, 60_000)

  it('begins anew with a floor over everything when it is lost', async () => {
    const { server, store } = await stage()
    const { version } = await store.bumpTags(['a', 'b'], 0, HOUR_MS)
    // A number that was minted while the clock was behind the last one is a little ahead of it.
    await eventually('the clock is past it', async () => (await usOf(server)) > version)
    await server.command('FLUSHALL')
    const { tags } = await store.sync([])
    expect(tags?.floor).toBe(tags?.version)
    expect(tags?.floor).toBeGreaterThan(version)
    expect(await store.tagsSince(0)).toEqual({
      version: tags?.version,
      floor: tags?.floor,
      tags: [],
    })
  })

  it('takes tags of any text, its own names too', async () => {
    const { store } = await stage()
    const tags = ['!version', '!floor', '*', '@c', 't:x', '', '☃', 'a\0b']
    const { version } = await store.bumpTags(tags, 0, HOUR_MS)
    const known = await store.tagsSince(0)
    expect(known.tags.map(([tag]) => tag).sort()).toEqual([...tags].sort())
    expect(known.version).toBe(version)
  })
})

describe('a full server', () => {
  it('still takes evictions and invalidations, and refuses values', async () => {
    const { server, store } = await stage()
    await store.sync([3])
    await store.put(at('k'), put())
    await store.put(at('soft'), put())
    const { tags } = await store.sync([])
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1')
    await expect(store.claim(at('new'), claim(11))).rejects.toMatchObject({ reason: 'full' })
    await expect(store.put(at('k'), put())).rejects.toMatchObject({ reason: 'full' })
    const before = await headOf(store)
    const [soft] = await store.evict([at('soft')], SOFT)
    const [hard] = await store.evict([at('k')], { soft: false, settleMs: 10_000 })
    expect([soft?.previous, hard?.previous]).toEqual([before, soft?.seq])
    const bump = await store.bumpTags(['a'], 0, HOUR_MS)
    expect(bump.previous).toBe(tags?.version)
    expect((await store.tagsSince(0)).tags.map(([tag]) => tag)).toEqual(['a'])
  })

  it('leaves heads unknown that it has no room for', async () => {
    const { server, store } = await stage()
    const head = await headOf(store)
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1')
    const { heads, tags } = await store.sync([2, 3])
    expect(heads).toEqual([undefined, head])
    expect(tags?.version).toBeGreaterThan(0)
  })
})
