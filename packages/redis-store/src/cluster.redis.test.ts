/** The store on a Redis Cluster: slots, redirections, masters that are away, the subscription. */

import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../test/support/eventually.ts'
import { type RedisCluster, startCluster } from '../../../test/support/redis/redis-cluster.ts'
import type { RedisServer } from '../../../test/support/redis/redis-server.ts'
import {
  at,
  Cluster5,
  claim,
  entry,
  freshNamespace,
  HARD,
  HOUR_MS,
  headerOf,
  listen,
  openStore,
  put,
} from '../testing/stage.ts'
import { slotOf } from './connection/cluster-nodes.ts'
import { hashTagOf, logKey } from './key-layout.ts'
import type { RedisStoreOptions } from './options.ts'
import { redisStore } from './redis-store.ts'

const PARTITIONS = Array.from({ length: 64 }, (_, id) => id)
const keys = PARTITIONS.map((id) => at(`k${id}`, id))

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await startCluster({ replicasPerMaster: 1 })
}, 60_000)
afterAll(() => cluster.stop())

/** The partitions that a master serves. */
async function partitionsOf(master: RedisServer, namespace: string): Promise<readonly number[]> {
  const owners = await Promise.all(
    PARTITIONS.map((id) => cluster.masterOf(slotOf(hashTagOf(logKey(namespace, id))))),
  )
  return PARTITIONS.filter((id) => owners[id] === master)
}

/** EVALSHA, EVAL, MGET… that the masters ran. */
async function callsOf(command: string): Promise<number> {
  let calls = 0
  for (const master of await cluster.masters()) {
    const stats = String(await master.command('INFO', 'commandstats'))
    calls += Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  }
  return calls
}

type NewCluster = new (nodes: unknown, options?: unknown) => Cluster

const accesses: Readonly<Record<string, () => RedisStoreOptions>> = {
  'by its nodes': () => ({ cluster: cluster.startupNodes }),
  'by URLs of its nodes': () => ({ cluster: cluster.nodes.map(({ url }) => url) }),
  'by a Cluster client of ioredis 6': () => handIn(Cluster as unknown as NewCluster),
  'by a Cluster client of ioredis 5': () => handIn(Cluster5 as unknown as NewCluster),
}

function handIn(Client: NewCluster): RedisStoreOptions {
  const client = new Client(cluster.startupNodes, {
    scaleReads: 'slave',
    keyPrefix: 'p:',
    redisOptions: { keyPrefix: 'p:', stringNumbers: true },
  })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  return { client }
}

it('knows the slot of a key as the servers do', async () => {
  for (const key of ['{shop:1}', '{shop:63}:c:{x}', '{a.b-c:tags}']) {
    expect(slotOf(hashTagOf(key))).toBe(await cluster.slotOf(key))
  }
})

describe.each(Object.entries(accesses))('a Cluster, %s', (_, access) => {
  it('does everything, over all partitions at once', async () => {
    const namespace = freshNamespace()
    const store = openStore(access(), namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    const first = await store.sync(PARTITIONS)
    expect(first.heads.every((head) => (head ?? 0) > 0)).toBe(true)
    const claims = await Promise.all(keys.map((key) => store.claim(key, claim(7))))
    expect(claims.every(({ kind }) => kind === 'granted')).toBe(true)
    const fills = await Promise.all(
      keys.map((key, n) => store.fill(key, 7, entry({ commit: n + 1 }), HOUR_MS)),
    )
    expect(fills.every(({ stored }) => stored)).toBe(true)
    for (const found of [await store.read(keys), await store.readHeaders(keys)]) {
      expect(found.map((bytes) => bytes?.[9])).toEqual(keys.map((__, n) => n + 1))
    }
    const scanned: string[] = []
    for await (const chunk of store.scan('c:k')) scanned.push(...chunk)
    expect(scanned.sort()).toEqual(keys.map(({ key }) => key).sort())
    const replies = await store.evict(keys, HARD)
    expect(replies.map(({ partition }) => partition)).toEqual(PARTITIONS)
    expect(await store.read(keys)).toEqual(keys.map(() => undefined))
    const { version } = await store.bumpTags(['t'], 0, HOUR_MS)
    const { heads, tags } = await store.sync(PARTITIONS)
    expect(heads).toEqual(replies.map(({ seq }) => seq))
    expect(tags?.version).toBe(version)
    await eventually('all messages arrive', () => recorder.messages.length === 65)
  })
})

describe('a Cluster', () => {
  it('takes a script for the changes of one partition, and no script for those of two', async () => {
    const namespace = freshNamespace()
    const store = openStore({ cluster: cluster.startupNodes }, namespace)
    await store.sync(PARTITIONS)
    for (const key of keys) await Promise.all([store.put(key, put()), store.evict([key], HARD)])
    const before = await callsOf('evalsha')
    const puts = await Promise.all(
      [...keys, ...keys.map(({ key, partition }) => at(`${key} too`, partition))].map((key) =>
        store.put(key, put()),
      ),
    )
    expect(puts.every(({ stored }) => stored)).toBe(true)
    for (const [id, { seq, partition }] of puts.slice(0, 64).entries())
      expect([partition, seq]).toEqual([id, puts[64 + id]?.seq])
    expect((await callsOf('evalsha')) - before).toBe(64)
  })

  it('keeps nothing that partitions of several slots would share', async () => {
    const namespace = freshNamespace()
    const store = openStore({ cluster: cluster.startupNodes }, namespace)
    await store.sync(PARTITIONS)
    await store.evict(keys, HARD)
    await store.put(at('k'), put())
    await store.changesSince(3, 1)
    for (const master of await cluster.masters()) {
      for (const name of ['heads', 'owed'])
        expect(await master.command('KEYS', `{${namespace}:${name}}`)).toEqual([])
    }
  })

  it('takes one pipeline a master, however many partitions', async () => {
    const store = openStore({ cluster: cluster.startupNodes })
    await store.sync(PARTITIONS)
    const before = { mget: await callsOf('mget'), time: await callsOf('time') }
    await store.read([...keys, ...keys, ...keys])
    expect((await callsOf('mget')) - before.mget).toBe(64)
    await store.sync(PARTITIONS)
    expect((await callsOf('time')) - before.time).toBe(3)
  })

  it('leaves a client handed in without listeners and connected', async () => {
    const client = new Cluster(cluster.startupNodes)
    onTestFinished(() => client.disconnect())
    await client.ping()
    const listeners = () => client.eventNames().map((name) => [name, client.listenerCount(name)])
    const before = listeners()
    for (let n = 0; n < 3; n++) {
      const store = redisStore({ client })
      store.open(freshNamespace())
      await store.put(at('k'), put())
      await store.close()
    }
    expect(listeners()).toEqual(before)
    expect(await client.ping()).toBe('PONG')
  })

  it('follows a slot that moves, while it moves and after', async () => {
    const namespace = freshNamespace()
    const store = openStore({ cluster: cluster.startupNodes }, namespace)
    const near = [1, 2, 3, 4, 5, 6].map((n) => at(`${n}`, 9))
    await Promise.all(near.map((key, n) => store.put(key, put(entry({ commit: n + 1 })))))
    const slot = slotOf(hashTagOf(logKey(namespace, 9)))
    const from = await cluster.masterOf(slot)
    const to = (await cluster.masters()).find((master) => master !== from) as RedisServer
    const migration = await cluster.beginMigration(slot, from, to)
    await migration.moveKeys(3)
    // Some keys are here and some there: a command for both is told to try again, until the move goes on.
    const read = store.read(near).catch(() => 'undecided')
    const single = await Promise.all(near.map((key) => store.read([key])))
    expect(single.map(([bytes]) => bytes?.[9])).toEqual([1, 2, 3, 4, 5, 6])
    await migration.moveKeys()
    expect(['undecided', 6]).toContain(
      (await read) === 'undecided' ? 'undecided' : (await read).length,
    )
    await migration.finish()
    expect((await store.read(near)).map((bytes) => bytes?.[9])).toEqual([1, 2, 3, 4, 5, 6])
    const [reply] = await store.evict(near, HARD)
    expect((await store.sync([9])).heads).toEqual([reply?.seq])
    await cluster.migrateSlot(slot, to, from)
  })

  it('answers for the masters that answer, when one hangs', async () => {
    const namespace = freshNamespace()
    const store = openStore({ cluster: cluster.startupNodes }, namespace)
    const { heads } = await store.sync(PARTITIONS)
    const tagsMaster = await cluster.masterOf(slotOf(`${namespace}:tags`))
    const hung = (await cluster.masters()).find((master) => master !== tagsMaster) as RedisServer
    const lost = await partitionsOf(hung, namespace)
    expect(lost.length).toBeGreaterThan(0)
    await hung.pause()
    try {
      const askedAt = performance.now()
      const reply = await store.sync(PARTITIONS)
      expect(performance.now() - askedAt).toBeLessThan(2_000)
      expect(reply.heads).toEqual(heads.map((head, id) => (lost.includes(id) ? undefined : head)))
      expect(reply.tags?.version).toBeGreaterThan(0)
    } finally {
      await hung.resume()
    }
  })

  it('tells the time even when the tag clock does not answer', async () => {
    const namespace = freshNamespace()
    const store = openStore({ cluster: cluster.startupNodes }, namespace)
    await store.sync(PARTITIONS)
    const tagsMaster = await cluster.masterOf(slotOf(`${namespace}:tags`))
    await tagsMaster.pause()
    try {
      const reply = await store.sync(PARTITIONS)
      expect(reply.tags).toBeUndefined()
      expect(Math.abs(reply.nowMs - Date.now())).toBeLessThan(60_000)
      expect(reply.heads.some((head) => head !== undefined)).toBe(true)
    } finally {
      await tagsMaster.resume()
    }
    await cluster.settle()
  })

  it('finds the new master after a failover, and tells the engine to look', async () => {
    const namespace = freshNamespace()
    const store = openStore({ cluster: cluster.startupNodes, pingEvery: '500ms' }, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    await store.put(at('k'), put())
    const slot = slotOf(hashTagOf(logKey(namespace, 3)))
    const old = await cluster.masterOf(slot)
    recorder.states.length = 0
    await old.kill()
    await cluster.failover(old, 'takeover')
    await eventually('it takes writes', async () => (await store.put(at('k'), put())).stored)
    expect(await headerOf(store, at('k'))).toMatchObject({ commit: 1 })
    await eventually('the engine is told', () => recorder.states.includes('doubt'))
    recorder.messages.length = 0
    await eventually('messages arrive', async () => {
      await store.evict([at('k')], HARD)
      return recorder.messages.length > 0
    })
    await old.start()
    await cluster.settle()
  }, 60_000)

  it('subscribes to another node when the one listened to goes', async () => {
    const namespace = freshNamespace()
    const store = openStore({ cluster: cluster.startupNodes }, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    const counts = await Promise.all(
      cluster.nodes.map((node) => node.command('PUBSUB', 'CHANNELS', `${namespace}:bus:*`)),
    )
    const index = counts.findIndex((reply) => (reply as unknown[]).length === 1)
    const listenedTo = cluster.nodes[index] as RedisServer
    recorder.states.length = 0
    await listenedTo.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually('it was down and is up', () => {
      return recorder.states.includes('down') && recorder.states.includes('up')
    })
    await store.bumpTags(['t'], 0, HOUR_MS)
    await eventually('messages arrive', () => recorder.messages.length > 0)
  })
})

describe('a Cluster that is not there', () => {
  it('fails calls and throws nothing', async () => {
    const store = openStore({ cluster: [{ host: '127.0.0.1', port: 1 }] })
    const recorder = listen(store, freshNamespace())
    await expect(store.read([at('k')])).rejects.toMatchObject({ code: 'LARDER_STORE_UNAVAILABLE' })
    expect(store.ready).toBe(false)
    await eventually('it is said to be down', () => recorder.states.includes('down'))
  })

  it('is found when it comes back', async () => {
    const own = await startCluster()
    onTestFinished(() => own.stop())
    const namespace = freshNamespace()
    const store = openStore({ cluster: own.startupNodes }, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    await Promise.all(own.nodes.map((node) => node.kill()))
    await eventually('it is down', () => store.ready === false)
    await eventually('calls fail', () => store.read([at('k')]).catch(() => true))
    recorder.states.length = 0
    await Promise.all(own.nodes.map((node) => node.start()))
    await own.settle()
    await eventually('it takes writes', async () => (await store.put(at('k'), put())).stored)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
  }, 60_000)
})
