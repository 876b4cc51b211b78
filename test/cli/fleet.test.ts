/** `larder` shows what nodes report, and says so where none does. */

import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { COMMANDS } from '../../packages/redis-store/src/connection/rights.ts'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { larder } from './support/larder.ts'

/** A node that has reported so many loads of the cache `products`, each read once more. */
async function reporterOf(namespace: string, name: string, loads: number, url?: string) {
  const at = url === undefined ? {} : { url }
  const { caches } = startNode({ namespace, fleet: { name, every: '1s' }, ...at })
  await caches.ready({ timeout: '20s' })
  const products = caches.cache<string>('products')
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < loads; i++) await products.getOrLoad(`${name}-${i}`, async () => 'v')
  }
  await eventually('it has reported that', async () => {
    const { nodes } = await caches.fleet()
    const own = nodes.find((node) => node.name === name)
    return own?.stats.loads === loads && own.status.health === 'up'
  })
  return caches
}

/** Writes what a node of another kind would report. */
async function forge(namespace: string, node: string, report: object, leftMs = 60_000) {
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  const [seconds] = await redis.time()
  await redis.zadd(`{${namespace}:nodes}`, Number(seconds) * 1_000 + leftMs, node)
  await redis.hset(`{${namespace}:nodes}:heartbeats`, node, `60000:${JSON.stringify(report)}`)
  onTestFinished(async () => void (await redis.del(`{${namespace}:nodes}`)))
}

describe('larder nodes', () => {
  it('lists who reports, how they are, and who listens besides', async () => {
    const namespace = freshNamespace()
    await reporterOf(namespace, 'api', 3)
    await reporterOf(namespace, 'worker', 1)
    const silent = startNode({ namespace })
    await silent.caches.ready({ timeout: '20s' })
    const { code, lines, stderr } = await larder(['nodes'], namespace)
    expect(code).toBe(0)
    expect(lines[0]).toMatch(
      /^NODE +NAME +HOST +PID +STATE +SEEN +UP FOR +HITS +ENTRIES +LARDER +PROBLEMS$/,
    )
    expect(lines[1]).toMatch(/ api .* up .* ago .* 50\.0 % +3 +\d+\.\d+\.\d+$/)
    expect(lines[2]).toMatch(/ worker .* up .* ago .* 50\.0 % +1 +\d+\.\d+\.\d+$/)
    expect(stderr).toContain('2 nodes reported; 3 listen.')
  })

  it('prints one object for programs, without what is for charts', async () => {
    const namespace = freshNamespace()
    await reporterOf(namespace, 'api', 3)
    const { rows, stdout } = await larder(['nodes', '--json'], namespace)
    expect(rows).toEqual([
      {
        namespace,
        listening: 1,
        unreadable: 0,
        nodes: [
          expect.objectContaining({
            name: 'api',
            pid: process.pid,
            state: 'up',
            stats: expect.objectContaining({ loads: 3, localHits: 3, localEntries: 3 }),
          }),
        ],
      },
    ])
    expect(stdout).not.toMatch(/buckets|byCache/)
  })

  it('says that none reports, and how many listen', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.ready({ timeout: '20s' })
    const { code, stdout } = await larder(['nodes'], namespace)
    expect([code, stdout]).toEqual([
      0,
      '1 node listens.\nWho they are is unknown: none reports itself. The option "fleet" of createCacheManager makes it.\n',
    ])
    expect((await larder(['nodes', '--json'], namespace)).rows).toEqual([
      { namespace, listening: 1, nodes: [], unreadable: 0 },
    ])
  })

  it('knows a namespace by its reports alone', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace, fleet: true })
    await eventually('it has reported', async () => (await caches.fleet()).nodes.length === 1)
    expect((await larder(['nodes'], namespace)).code).toBe(0)
    const { rows } = await larder(['namespaces', '--json'])
    expect(rows).toContainEqual({ namespace, keys: 2 })
  })

  it('shows what others wrote there without being steered by it', async () => {
    const namespace = freshNamespace()
    await forge(namespace, '\u001b[2Jid', {
      form: 1,
      name: '\u001b[31mred',
      host: 7,
      everyMs: 5_000,
      status: { health: '\u0007', problems: ['x\ny'] },
      caches: 'none',
    })
    await forge(namespace, 'later', { form: 2 })
    const { code, lines, stderr, stdout } = await larder(['nodes'], namespace)
    expect(code).toBe(0)
    for (const control of ['\u001b', '\u0007']) expect(stdout).not.toContain(control)
    expect(lines).toHaveLength(2)
    expect(stderr).toContain('Reports of 1 more are of another version.')
  })

  it('without the right to read reports says that, and nothing else fails', async () => {
    await using server = await startRedis()
    const namespace = freshNamespace()
    await reporterOf(namespace, 'api', 1, server.url)
    const rights = [...COMMANDS.cache, 'scan', 'pubsub'].map((command) => `+${command}`)
    const reach = [`~{${namespace}:*`, `&${namespace}:*`]
    await server.command('ACL', 'SETUSER', 'app', 'on', '>pw', ...reach, '-@all', ...rights)
    const url = server.url.replace('//', '//app:pw@')
    const { code, stdout } = await larder(['nodes'], namespace, { url })
    expect([code, stdout]).toEqual([0, expect.stringContaining('no right to read')])
    const [stats] = (await larder(['stats', '--json'], namespace, { url })).rows
    expect(stats).toMatchObject({ nodes: { reported: null, late: null }, counters: null })
  })
})

describe('larder stats', () => {
  it('shows hits and loads of all nodes that report', async () => {
    const namespace = freshNamespace()
    await reporterOf(namespace, 'api', 6)
    await reporterOf(namespace, 'worker', 2)
    const { stdout } = await larder(['stats'], namespace)
    expect(stdout).toMatch(/^nodes +2 listen, 2 report$/m)
    expect(stdout).toMatch(/^hits +50\.0 % of 16 reads: 8 local, 0 remote, 0 stale, 0 joined$/m)
    expect(stdout).toMatch(/^loads +8, 0 of them failed; half took .* ms, 99 % .* ms at most$/m)
    expect(stdout).toMatch(/^in memory +8 entries, all nodes together$/m)
    const [stats] = (await larder(['stats', '--json'], namespace)).rows
    expect(stats).toMatchObject({
      nodes: { listening: 2, reported: 2, late: 0 },
      counters: {
        loads: 8,
        localHits: 8,
        hitRatio: 0.5,
        localEntries: 8,
        loadLatency: { count: 8 },
        byCache: { products: { loads: 8 } },
      },
    })
  })
})

describe('larder doctor', () => {
  const nodesCheck = async (namespace: string): Promise<Record<string, unknown> | undefined> => {
    const { rows } = await larder(['doctor', '--json'], namespace)
    return rows.find(({ check }) => check === 'nodes')
  }

  it('is content with nodes that are well', async () => {
    const namespace = freshNamespace()
    await reporterOf(namespace, 'api', 1)
    expect(await nodesCheck(namespace)).toEqual({
      check: 'nodes',
      state: 'ok',
      found: '1 node listens, 1 node reported',
    })
  })

  it('tells nodes that are late or degraded, and versions that differ', async () => {
    const namespace = freshNamespace()
    await reporterOf(namespace, 'api', 1)
    const versions = { larder: '9.9.9', node: '1' }
    const well = { form: 1, everyMs: 60_000, versions, status: { health: 'up' } }
    await forge(namespace, 'late', { ...well, everyMs: 1_000 }, 10_000)
    await forge(namespace, 'isolated', { ...well, status: { health: 'degraded' } })
    expect(await nodesCheck(namespace)).toMatchObject({
      state: 'warn',
      found: expect.stringMatching(
        /3 nodes reported: 1 late, 1 degraded, versions .* and 9\.9\.9$/,
      ),
    })
  })
})
