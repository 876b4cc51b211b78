/** The heads of all partitions in one string: written by whatever moves one, read by syncs, and never taken for more than a note. */

import type { RemoteStore } from '@larder/core/store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type RedisServer, startRedis } from '../../../../test/support/redis/redis-server.ts'
import { at, entry, HARD, HOUR_MS, openStore, put, SOFT } from '../../testing/stage.ts'
import { headsKey, logKey } from '../key-layout.ts'

const NAMESPACE = 'shop'
const HEADS = headsKey(NAMESPACE)
const PARTITION = 3
const LOG = logKey(NAMESPACE, PARTITION)
const PARTITIONS = Array.from({ length: 64 }, (_, i) => i)
const BYTES = 8

interface Stage {
  readonly server: RedisServer
  readonly store: RemoteStore
}

/** A server of the test's own, that a node has asked for all partitions. */
async function stage(): Promise<Stage> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const store = openStore({ url: server.url }, NAMESPACE)
  await store.sync(PARTITIONS)
  return { server, store }
}

async function headInLog(server: RedisServer, log = LOG): Promise<number> {
  return -Number(await server.command('ZSCORE', log, '!seq'))
}

/** What is noted for a partition, 0 for nothing. Read by a script: the client of tests takes replies for texts. */
async function notedHead(server: RedisServer, partition = PARTITION): Promise<number> {
  const lua =
    "local b = redis.call('GETRANGE', KEYS[1], ARGV[1], ARGV[1] + 7); return #b == 8 and string.format('%.0f', (struct.unpack('>d', b))) or '0'"
  return Number(await server.command('EVAL', lua, 1, HEADS, partition * BYTES))
}

async function syncedHead(store: RemoteStore): Promise<number | undefined> {
  return (await store.sync(PARTITIONS)).heads[PARTITION]
}

/** A round of syncs: each partition has been compared with its log once. */
async function syncRound(store: RemoteStore): Promise<number | undefined> {
  let head: number | undefined
  for (const _ of PARTITIONS) head = await syncedHead(store)
  return head
}

async function callsOf(server: RedisServer, command: string): Promise<number> {
  const stats = String(await server.command('INFO', 'commandstats'))
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}

describe('the noted heads', () => {
  it('are one command for all partitions, and one more to compare a partition with its log', async () => {
    const { server, store } = await stage()
    const before = await Promise.all(
      ['zscore', 'get', 'evalsha', 'eval'].map((name) => callsOf(server, name)),
    )
    for (let i = 0; i < 10; i++) await store.sync(PARTITIONS)
    const after = await Promise.all(
      ['zscore', 'get', 'evalsha', 'eval'].map((name) => callsOf(server, name)),
    )
    const calls = after.map((count, i) => (count - (before[i] ?? 0)) / 10)
    // One GET is of the identity of the store.
    expect(calls).toEqual([1, 2, 0, 0])
  })

  const changes: readonly [string, (store: RemoteStore) => Promise<unknown>][] = [
    ['a put', (store) => store.put(at('k'), put())],
    ['a put that came too late', (store) => store.put(at('k'), put(entry(), 1))],
    ['an eviction', (store) => store.evict([at('k')], HARD)],
    ['a soft eviction of several', (store) => store.evict([at('k'), at('l')], SOFT)],
    [
      'an update',
      async (store) =>
        store.swap?.(at('k'), {
          bytes: entry({ commit: 5 }),
          livesMs: HOUR_MS,
          seen: 0,
          since: (await syncedHead(store)) ?? 0,
        }),
    ],
  ]
  it.each(changes)('follow %s', async (_name, change) => {
    const { server, store } = await stage()
    const before = await headInLog(server)
    await change(store)
    const head = await headInLog(server)
    expect(head).toBeGreaterThan(before)
    expect(await notedHead(server)).toBe(head)
    expect(await syncedHead(store)).toBe(head)
  })

  const openings: readonly [string, (store: RemoteStore) => Promise<unknown>][] = [
    ...changes.slice(0, 4),
    ['a look into it', (store) => store.changesSince(PARTITION, 5)],
  ]
  it.each(openings)('follow a log that was lost and begun anew by %s', async (_name, change) => {
    const { server, store } = await stage()
    const before = await syncedHead(store)
    await server.command('DEL', LOG)
    await change(store)
    expect(await notedHead(server)).toBe(await headInLog(server))
    expect(await syncedHead(store)).not.toBe(before)
  })

  it('of a log that was lost stand until its turn comes', async () => {
    const { server, store } = await stage()
    const before = await syncedHead(store)
    await server.command('DEL', LOG)
    expect(await syncRound(store)).not.toBe(before)
    expect(await notedHead(server)).toBe(await headInLog(server))
  })
})

describe('noted heads that are lost or wrong', () => {
  it('are read from the logs and noted anew, all by one script', async () => {
    const { server, store } = await stage()
    const [reply] = await store.evict([at('k')], HARD)
    await server.command('DEL', HEADS)
    const before = await callsOf(server, 'evalsha')
    expect(await syncedHead(store)).toBe(reply?.seq)
    expect((await callsOf(server, 'evalsha')) - before).toBe(1)
    for (const partition of PARTITIONS)
      expect(await notedHead(server, partition)).toBe(
        await headInLog(server, logKey(NAMESPACE, partition)),
      )
  })

  it('are read from the log where only another partition was noted since', async () => {
    const { server, store } = await stage()
    const [reply] = await store.evict([at('k')], HARD)
    await server.command('DEL', HEADS)
    await store.evict([at('other', 9)], HARD)
    expect(await notedHead(server)).toBe(0)
    expect(await syncedHead(store)).toBe(reply?.seq)
  })

  it('are begun anew with everything else after a flush', async () => {
    const { server, store } = await stage()
    const before = await syncedHead(store)
    await server.command('FLUSHALL')
    const after = await syncedHead(store)
    expect(after).not.toBe(before)
    expect(after).toBe(await headInLog(server))
  })

  it('are found out one by one where they are older than the logs', async () => {
    const { server, store } = await stage()
    const old = (await server.command('GET', HEADS)) as string
    expect(old.length).toBeGreaterThan(0)
    const [reply] = await store.evict([at('k')], HARD)
    const lua = "redis.call('SETRANGE', KEYS[1], ARGV[1], struct.pack('>d', ARGV[2]))"
    await server.command('EVAL', lua, 1, HEADS, PARTITION * BYTES, (reply?.previous ?? 0) - 1)
    expect(await syncRound(store)).toBe(reply?.seq)
    expect(await notedHead(server)).toBe(reply?.seq)
  })

  it.each([
    ['a list', ['RPUSH', HEADS, 'x']],
    ['a short text', ['SET', HEADS, 'x']],
    ['a long text', ['SET', HEADS, 'x'.repeat(600)]],
  ])('that are %s of somebody else are replaced', async (_name, command) => {
    const { server, store } = await stage()
    await server.command('DEL', HEADS)
    await server.command(...(command as [string, string, string]))
    const [reply] = await store.evict([at('k')], HARD)
    expect(await syncedHead(store)).toBe(reply?.seq)
    expect(await syncRound(store)).toBe(reply?.seq)
    expect(await notedHead(server)).toBe(reply?.seq)
  })
})

describe('a change that ends halfway', () => {
  it('is never ahead of what is noted', async () => {
    const { server, store } = await stage()
    const before = await headInLog(server)
    // The last thing that the script does is not allowed to this user.
    await server.command('ACL', 'SETUSER', 'mute', 'on', '>secret', '~*', '+@all', 'resetchannels')
    const mute = openStore(
      { url: server.url.replace('redis://', 'redis://mute:secret@') },
      NAMESPACE,
    )
    await expect(mute.evict([at('k')], HARD)).rejects.toThrow()
    expect(await headInLog(server)).toBeGreaterThan(before)
    expect(await notedHead(server)).toBe(await headInLog(server))
    expect(await syncedHead(store)).toBe(await headInLog(server))
  })

  it('that was only noted has the log asked, which knows nothing more', async () => {
    const { server, store } = await stage()
    const head = await headInLog(server)
    const lua = "redis.call('SETRANGE', KEYS[1], ARGV[1], struct.pack('>d', ARGV[2]))"
    await server.command('EVAL', lua, 1, HEADS, PARTITION * BYTES, head + 10)
    expect(await syncedHead(store)).toBeGreaterThanOrEqual(head)
    expect(await store.changesSince(PARTITION, head)).toEqual({
      kind: 'delta',
      seq: head,
      keys: [],
      numbers: [],
    })
    expect(await syncRound(store)).toBe(head)
  })
})

describe('on a server that is full', () => {
  async function fill(server: RedisServer): Promise<void> {
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
  }

  it('an eviction is noted', async () => {
    const { server, store } = await stage()
    await store.put(at('k'), put())
    await fill(server)
    const [reply] = await store.evict([at('k')], HARD)
    expect(await notedHead(server)).toBe(reply?.seq)
  })

  it('heads that were lost are read from the logs every time', async () => {
    const { server, store } = await stage()
    const [reply] = await store.evict([at('k')], HARD)
    await server.command('DEL', HEADS)
    await fill(server)
    for (let i = 0; i < 2; i++) expect(await syncedHead(store)).toBe(reply?.seq)
    expect(await server.command('EXISTS', HEADS)).toBe(0)
  })
})
