/** What `larder` evicts, running nodes see at once; and what is not ours stays as it is. */

import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode, startPair, type TestNode } from '../support/nodes.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { larder } from './support/larder.ts'

/** A node whose syncs are an hour apart: what it hears of, it hears as a message. */
async function listener(namespace: string): Promise<TestNode> {
  const [node] = await startPair({ namespace, policy: { maxStaleness: '1h', staleIfError: '1h' } })
  return node
}

function openRedis(): Redis {
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  return redis
}

describe('a running node', () => {
  it.each<[string, readonly string[]]>([
    ['evict', ['evict', 'c:k', '--yes']],
    ['evict --prefix', ['evict', '--prefix', 'c:', '--yes']],
    ['evict --soft', ['evict', 'c:k', '--soft', '--yes']],
    ['evict-tag', ['evict-tag', 'shop:7', '--yes']],
    ['evict-tag --soft', ['evict-tag', 'shop:7', '--soft', '--yes']],
    ['clear of its cache', ['clear', 'c', '--yes']],
    ['clear', ['clear', '--yes']],
  ])('loads anew after %s, without a sync in between', async (_, line) => {
    const namespace = freshNamespace()
    const node = await listener(namespace)
    const cache = node.caches.cache<string>('c')
    let source = 'old'
    const load = async (): Promise<string> => source
    const tags = ['shop:7']
    await cache.getOrLoad('k', load, { tags })
    expect(await cache.getOrLoad('k', load, { tags })).toBe('old')
    source = 'new'
    const { code, stdout } = await larder(line, namespace)
    expect([code, stdout]).toEqual([0, expect.stringContaining('2 nodes listen')])
    await eventually(
      'the message is there',
      async () => (await cache.getOrLoad('k', load, { tags })) === 'new',
    )
    expect(node.seen('bus-gap')).toEqual([])
  })

  it('keeps what was evicted softly for loads that fail', async () => {
    const namespace = freshNamespace()
    const node = await listener(namespace)
    const cache = node.caches.cache<string>('c')
    await cache.getOrLoad('k', async () => 'old')
    await larder(['evict', 'c:k', '--soft', '--yes'], namespace)
    const failing = async (): Promise<string> => {
      throw new Error('the source is away')
    }
    await eventually('it is a fallback', async () => {
      expect(await cache.getOrLoad('k', failing)).toBe('old')
      return node.seen('stale').length > 0
    })
  })

  it('whose load is under way does not keep its result', async () => {
    const namespace = freshNamespace()
    const node = await listener(namespace)
    const cache = node.caches.cache<string>('c')
    let release = (): void => undefined
    const load = cache.getOrLoad(
      'k',
      () =>
        new Promise<string>((resolve) => {
          release = () => resolve('old')
        }),
    )
    const redis = openRedis()
    await eventually(
      'the lease stands',
      async () => (await redis.keys(`{${namespace}:*}:c:k`)).length === 1,
    )
    await larder(['evict', 'c:k', '--yes'], namespace)
    release()
    expect(await load).toBe('old')
    expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
  })

  it('is told of a settle window', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    expect((await larder(['evict', 'c:k', '--settle', '1m', '--yes'], namespace)).code).toBe(0)
    const [said] = (await larder(['explain', 'c:k', '--json'], namespace)).rows
    expect(said).toMatchObject({ reason: 'settling' })
  })
})

describe('what is evicted', () => {
  it('is what was named, and nothing beside it', async () => {
    const namespace = freshNamespace()
    const other = `${namespace}x`
    const [{ caches }, { caches: others }] = [
      startNode({ namespace }),
      startNode({ namespace: other }),
    ]
    const redis = openRedis()
    const foreign = [
      `{${namespace}}:c:k`,
      `${namespace}:c:k`,
      'c:k',
      `{${namespace}:5`,
      `{${namespace}:x}:c:k`,
    ]
    for (const key of foreign) await redis.set(key, 'theirs')
    onTestFinished(async () => void (await redis.del(foreign)))
    for (const each of [caches, others]) {
      await each.cache('c').set('k', 'v')
      await each.cache('cc').set('k', 'v')
    }
    await caches.locks.run('l', { lease: '1m' }, async () => {
      await caches.limiter({ name: 'api', limit: 1, per: '1h' }).consume('a')
      for (const line of [
        ['evict', '--prefix', 'c:', '--yes'],
        ['evict', 'c:k', 'c:other', '--yes'],
        ['evict-tag', 't', '--yes'],
        ['clear', 'c', '--yes'],
      ])
        expect((await larder(line, namespace)).code).toBe(0)
      expect(await caches.cache('cc').get('k')).toBe('v')
      await larder(['clear', '--yes'], namespace)
      expect((await larder(['locks', '--json'], namespace)).rows).toHaveLength(1)
      expect((await larder(['limits', '--json'], namespace)).rows).toHaveLength(1)
    })
    expect(await redis.mget(foreign)).toEqual(foreign.map(() => 'theirs'))
    expect(await others.cache('c').get('k')).toBe('v')
    await eventually(
      'all of it is evicted',
      async () => (await caches.cache('cc').get('k')) === undefined,
    )
  })

  it('by tag leaves entries without it, also where nobody has evicted a tag before', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('with', 'v', { tags: ['t'] })
    await caches.cache('c').set('without', 'v')
    await larder(['evict-tag', 't', '--yes'], namespace)
    await eventually(
      'it is evicted',
      async () => (await caches.cache('c').get('with')) === undefined,
    )
    expect(await caches.cache('c').get('without')).toBe('v')
    const [said] = (await larder(['explain', 'c:without', '--json'], namespace)).rows
    expect(said).toMatchObject({ outcome: 'hit' })
  })

  it('can come from stdin, as text or as keys prints it', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    for (const key of ['1', '2', 'a\nb']) await caches.cache('c').set(key, 'v')
    const { stdout } = await larder(['keys', '--json'], namespace)
    const { code, rows } = await larder(['evict', '-', '--yes', '--json'], namespace, {
      stdin: stdout,
    })
    expect([code, rows[0]]).toEqual([0, expect.objectContaining({ evicted: 3, stored: 3 })])
    expect((await larder(['keys', '--json'], namespace)).rows).toEqual([])
    const again = await larder(['evict', '-', '--yes', '--json'], namespace, {
      stdin: 'c:1\r\n\nc:2',
    })
    expect(again.rows[0]).toMatchObject({ evicted: 2, stored: 0 })
  })
})

it('says how far it came when a line of stdin is not a key', async () => {
  const namespace = freshNamespace()
  const { caches } = startNode({ namespace })
  await caches.cache('c').set('k0', 'v')
  const lines = Array.from({ length: 600 }, (_, i) => `c:k${i}`)
  const stdin = [...lines, 'no key'].join('\n')
  const { code, stderr } = await larder(['evict', '-', '--yes'], namespace, { stdin })
  expect(code).toBe(2)
  expect(stderr).toContain('500 keys had been evicted')
})

describe('before anything is evicted', () => {
  const LINES = [
    ['evict', 'c:k'],
    ['evict', '--prefix', 'c'],
    ['evict-tag', 't'],
    ['clear', 'c'],
    ['clear'],
  ]

  it.each(LINES)(
    '%s %s: the count is printed, and nothing is done without a terminal',
    async (...line) => {
      const namespace = freshNamespace()
      const { caches } = startNode({ namespace })
      await caches.cache('c').set('k', 'v', { tags: ['t'] })
      const args = line.filter((word) => word !== undefined)
      for (const more of [[], ['--dry-run'], ['--dry-run', '--yes']]) {
        const { code, stdout, stderr } = await larder([...args, ...more], namespace)
        expect([more, code, stdout]).toEqual([more, more.length === 0 ? 2 : 0, ''])
        expect(stderr).toMatch(/1 (key|tag|entry)/)
      }
      expect(await caches.cache('c').get('k')).toBe('v')
      expect((await larder(['explain', 'c:k', '--json'], namespace)).rows[0]).toMatchObject({
        outcome: 'hit',
      })
    },
  )

  it.each<[string, readonly string[], string, boolean]>([
    ['yes', ['evict', 'c:k'], 'yes', true],
    ['no', ['evict', 'c:k'], 'no', false],
    ['nothing', ['evict', 'c:k'], '', false],
    ['the name of the cache', ['clear', 'c'], 'c', true],
    ['yes in place of the name', ['clear', 'c'], 'yes', false],
  ])('a person at a terminal is asked: %s', async (_, line, types, isDone) => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    const { code } = await larder(line, namespace, { types })
    expect(code).toBe(isDone ? 0 : 1)
    const [said] = (await larder(['explain', 'c:k', '--json'], namespace)).rows
    expect(said?.['outcome']).toBe(isDone ? 'miss' : 'hit')
  })
})

describe('a person who presses', () => {
  it.each([
    ['Ctrl+C', '\u0003', 130],
    ['Ctrl+D', '\u0004', 1],
  ])('%s at the question evicts nothing, and is back at once', async (_, types, code) => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    expect((await larder(['clear'], namespace, { types })).code).toBe(code)
    const [said] = (await larder(['explain', 'c:k', '--json'], namespace)).rows
    expect(said).toMatchObject({ outcome: 'hit' })
  })
})

describe('watch', () => {
  it('prints what nodes tell each other, and ends by itself or when it is interrupted', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.ready()
    const interrupt = new AbortController()
    let printed = ''
    const watching = larder(['watch', '--json'], namespace, {
      signal: interrupt.signal,
      onOutput: (text) => {
        printed = text
      },
    })
    await eventually('it hears an eviction', async () => {
      await caches.cache('c').evict('k')
      return printed.includes('c:k')
    })
    await caches.evictTags(['shop:7'])
    await eventually('it hears a tag', () => printed.includes('shop:7'))
    interrupt.abort()
    const { code, rows, stderr } = await watching
    expect([code, stderr]).toEqual([0, expect.stringMatching(/messages?\.\n$/)])
    expect(rows[0]).toMatchObject({ kind: 'keys', keys: ['c:k'] })
    expect(JSON.stringify(rows)).not.toContain('value')
  })

  it('goes on where the connection was lost, and says that it was away', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace, url: server.url, policy: { maxStaleness: '200ms' } })
    await caches.ready()
    const interrupt = new AbortController()
    let [printed, said] = ['', '']
    const watching = larder(['watch', '--json'], namespace, {
      url: server.url,
      signal: interrupt.signal,
      onOutput: (text) => {
        printed = text
      },
      onTalk: (text) => {
        said = text
      },
    })
    await eventually('it listens', () => said.includes('Listening'))
    await server.restart()
    await eventually('it says that it was away', () => said.includes('missed'))
    // The store is empty, and has another name now.
    await eventually(
      'it hears evictions again',
      async () => {
        await caches.cache('c').evict('again')
        return printed.includes('c:again')
      },
      30_000,
    )
    interrupt.abort()
    expect((await watching).code).toBe(0)
  }, 60_000)
})
