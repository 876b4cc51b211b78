/** A Redis that answers reads and refuses writes and messages: others may serve what was evicted here, and this node says so. */

import type { CacheEvents, CacheManager } from '@larder/core'
import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode, untilVerified } from '../support/nodes.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'

const WRITES = new Set(['EVALSHA', 'EVAL', 'PUBLISH', 'SPUBLISH', 'SET', 'DEL', 'UNLINK'])

const REFUSALS: Readonly<Record<string, string>> = {
  'a user without rights': "NOPERM User larder has no permissions to run the 'evalsha' command",
  'a snapshot that fails': 'MISCONF Redis is configured to save RDB snapshots, but it is unable to',
  'a full memory': "OOM command not allowed when used memory > 'maxmemory'.",
  'too few replicas': 'NOREPLICAS Not enough good replicas to write.',
}

const WAYS = ['a key', 'a tag', 'a cache'] as const

it.each(
  Object.entries(REFUSALS).flatMap(([why, error]) => WAYS.map((way) => [why, way, error] as const)),
)(
  'because of %s: %s that could not be evicted is told, and when it is over',
  async (_, way, error) => {
    await using proxy = await startProxy(Number(new URL(inject('redisUrl')).port))
    const { caches, cache, lines, outages } = await startWatched(proxy.url)
    expect(caches.status().state).toBe('up')

    const end = proxy.failCommands({ match: ({ name }) => WRITES.has(name), error })
    await evictBy(way, caches)
    const { state, reason, recoveryQueue, coherence } = await eventually('it is told', () => {
      const status = caches.status()
      return status.state === 'refusing' ? status : undefined
    })
    expect([state, recoveryQueue.waiting, coherence.state]).toEqual(['refusing', 1, 'isolated'])
    expect(reason).toContain(error.slice(0, error.indexOf(' ')))
    await eventually('a line says what it means', () =>
      lines.some((line) => line.includes('other nodes may serve what was evicted')),
    )
    expect(outages.map(({ kind }) => kind)).toContain('refusing')
    expect(await cache.get('k')).toBeUndefined()

    end()
    await eventually('it is over', () => {
      const status = caches.status()
      return status.state === 'up' && status.recoveryQueue.waiting === 0
    })
    expect(outages.at(-1)?.state).toBe('ended')
  },
)

it.each(WAYS)(
  'because it has become a replica: %s that could not be evicted is told, and when it is a master again',
  async (way) => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const { caches, cache, lines, outages } = await startWatched(server.url)

    // Nobody has to be there for it to be a replica of.
    await server.command('REPLICAOF', '127.0.0.1', '1')
    await evictBy(way, caches)
    await eventually('a line says what it means', () =>
      lines.some((line) => /READONLY.*other nodes may serve what was evicted/.test(line)),
    )
    const { state, reason, recoveryQueue, store } = caches.status()
    expect([state, recoveryQueue.waiting, store?.isReachable]).toEqual(['refusing', 1, false])
    expect(reason).toContain('READONLY')
    expect(await cache.get('k')).toBeUndefined()

    await server.command('REPLICAOF', 'NO', 'ONE')
    await eventually('it is over', () => {
      const status = caches.status()
      return status.state === 'up' && status.recoveryQueue.waiting === 0
    })
    expect(outages.map(({ state: is, kind }) => `${is} ${kind}`)).toEqual([
      'began refusing',
      'ended refusing',
    ])
  },
)

/** A node that holds one entry, with what it says. */
async function startWatched(url: string) {
  const lines: string[] = []
  const note = (line: string): void => void lines.push(line)
  const node = startNode({
    url,
    namespace: freshNamespace(),
    policy: { maxStaleness: '300ms' },
    logger: { info: note, warn: note, error: note },
  })
  const { caches } = node
  const outages: CacheEvents['outage'][] = []
  caches.on('outage', (event) => outages.push(event))
  await untilVerified(node)
  const cache = caches.cache<string>('c')
  await cache.getOrLoad('k', () => 'old', { tags: ['t'] })
  return { caches, cache, lines, outages }
}

function evictBy(way: (typeof WAYS)[number], caches: CacheManager): Promise<unknown> {
  if (way === 'a key') return caches.cache('c').evict('k')
  return way === 'a tag' ? caches.evictTags(['t']) : caches.cache('c').clear()
}
