/** What `larder` shows of a namespace that a node has filled. */

import { randomBytes } from 'node:crypto'
import { valueType } from '@larder/core'
import type { Plugin } from '@larder/core/store'
import { encryption } from '@larder/plugins/encryption'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { larder } from './support/larder.ts'

/** Tells whether a terminal would act upon the text: anything but printable characters and ends of lines. */
function steers(text: string): boolean {
  return [...text].some((char) => char !== '\n' && /^[\p{Cc}\p{Cf}]$/u.test(char))
}

describe('a namespace', () => {
  it('is found among others, with the number of its keys', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('products').set('42', 'v')
    const { code, rows } = await larder(['namespaces', '--json'])
    expect(code).toBe(0)
    expect(rows.map((row) => row['namespace'])).toContain(namespace)
  })

  it('that no node has used is not found, and nothing is left behind by looking', async () => {
    const namespace = freshNamespace()
    for (const command of ['stats', 'caches', 'keys', 'nodes', 'watch']) {
      const { code, stderr } = await larder([command], namespace)
      expect([command, code]).toEqual([command, 4])
      expect(stderr).toContain('larder namespaces')
    }
    expect((await larder(['explain', 'a:b'], namespace)).code).toBe(4)
    await larder(['locks'], namespace)
    await larder(['limits'], namespace)
    await larder(['sessions', 'ada'], namespace)
    await larder(['doctor'], namespace)
    const redis = new Redis(inject('redisUrl'))
    onTestFinished(() => redis.disconnect())
    expect(await redis.keys(`{${namespace}:*`)).toEqual([])
  })

  it('is shown in numbers', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('products').set('42', 'v')
    await caches.cache('users').set('1', 'v')
    await caches.evictTags(['shop:7'])
    const [stats] = (await larder(['stats', '--json'], namespace)).rows
    expect(stats).toMatchObject({
      namespace,
      caches: 2,
      entries: { count: 2, fresh: 2, isComplete: true },
      changes: { lastMinute: 2 },
      tags: { count: 1 },
      nodes: { listening: 1, reported: 0, late: 0 },
      // Nobody reports them, and a guess is not shown as if it were known.
      counters: null,
    })
    expect((await larder(['stats'], namespace)).stdout).toContain('unknown')
  })

  it('lists its caches, the largest first', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('small').set('1', 'v')
    await caches.cache('large').set('1', 'v'.repeat(1_000))
    await caches.cache('large').set('2', 'v')
    const { rows } = await larder(['caches', '--json'], namespace)
    expect(rows.map(({ cache, entries }) => [cache, entries])).toEqual([
      ['large', 2],
      ['small', 1],
    ])
  })

  it('says when a scan did not look at everything', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    const entries = Array.from({ length: 1_500 }, (_, i) => [`${i}`, i] as const)
    await caches.cache('many').warm(entries)
    const { stderr } = await larder(['caches', '--scan', '500'], namespace)
    expect(stderr).toMatch(/Note: 500 of about [\d ]+ keys were looked at/)
  })
})

describe('keys', () => {
  it('are listed by prefix, by tag, in length and to a limit', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    const products = caches.cache<string>('products')
    await products.set('42', 'v', { tags: ['shop:7'] })
    await products.set('43', 'v', { tags: ['*'] })
    await caches.cache('users').set('42', 'v')
    const keysOf = async (...args: readonly string[]): Promise<readonly unknown[]> =>
      (await larder(['keys', '--json', ...args], namespace)).rows.map((row) => row['key']).sort()
    expect(await keysOf()).toEqual(['products:42', 'products:43', 'users:42'])
    expect(await keysOf('products:')).toEqual(['products:42', 'products:43'])
    expect(await keysOf('--tag', 'shop:7')).toEqual(['products:42'])
    expect(await keysOf('--tag', '*')).toEqual(['products:43'])
    expect(await keysOf('--limit', '2')).toHaveLength(2)
    expect((await larder(['keys', 'nothing:'], namespace)).stdout).toBe('')
    const [long] = (await larder(['keys', 'users:', '--long', '--json'], namespace)).rows
    expect(long).toMatchObject({ key: 'users:42', cache: 'users', state: 'fresh', tags: [] })
  })

  it('with wildcards in them are taken as they are', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('a*b', 'v')
    await caches.cache('c').set('axb', 'v')
    expect((await larder(['keys', 'c:a*'], namespace)).lines.slice(1)).toEqual(['c:a*b'])
  })

  it('that would steer a terminal are printed as what they are', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    const evil = 'a\u001b]0;title\u0007\u009b31m\u202eb\n2'
    await caches.cache('c').set(evil, 'v', { tags: ['t\u001b[2J'] })
    for (const line of [
      ['keys'],
      ['keys', '--json'],
      ['explain', `c:${evil}`],
      ['explain', `c:${evil}`, '--json'],
      ['show', `c:${evil}`],
      ['show', `c:${evil}x`],
    ]) {
      const { stdout, stderr } = await larder(line, namespace, {
        isTerminal: true,
        env: { NO_COLOR: '1' },
      })
      expect([line, steers(stdout + stderr)]).toEqual([line, false])
    }
    const [row] = (await larder(['keys', '--json'], namespace)).rows
    expect(row?.['key']).toBe(`c:${evil}`)
  })
})

describe('an entry', () => {
  it('is shown with its value only when that was asked for', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', { secret: 'hunter2' }, { tags: ['t'] })
    const hidden = await larder(['show', 'c:k'], namespace)
    expect(hidden.stdout).not.toContain('hunter2')
    expect((await larder(['show', 'c:k', '--json'], namespace)).stdout).not.toContain('hunter2')
    const [row] = (await larder(['show', 'c:k', '--json', '--values'], namespace)).rows
    expect(row).toMatchObject({
      key: 'c:k',
      kind: 'value',
      tags: ['t'],
      value: { secret: 'hunter2' },
    })
    expect((await larder(['show', 'c:k', '--values'], namespace)).stdout).toContain('hunter2')
  })

  it('is found by its key as Redis shows it', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    const redis = new Redis(inject('redisUrl'))
    onTestFinished(() => redis.disconnect())
    const [place = ''] = await redis.keys(`{${namespace}:*}:c:k`)
    expect((await larder(['show', place, '--json'], namespace)).rows[0]).toMatchObject({
      key: 'c:k',
    })
  })

  it('that is not stored is not found, and what is not an entry is said to be none', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    await caches.cache('c').set('k', 'v')
    expect((await larder(['show', 'c:other'], namespace)).code).toBe(4)
    const redis = new Redis(inject('redisUrl'))
    onTestFinished(() => redis.disconnect())
    const [place = ''] = await redis.keys(`{${namespace}:*}:c:k`)
    for (const write of [() => redis.set(place, 'text'), () => redis.lpush(place, 'item')]) {
      await redis.del(place)
      await write()
      const { code, stderr } = await larder(['show', 'c:k'], namespace)
      expect([code, stderr]).toEqual([1, expect.stringContaining('not an entry')])
      expect((await larder(['explain', 'c:k', '--json'], namespace)).rows[0]).toMatchObject({
        outcome: 'miss',
        reason: 'foreign',
      })
    }
  })

  it('behind a codec step, such as encryption, is shown by its header', async () => {
    const namespace = freshNamespace()
    const secrecy: Plugin = {
      name: 'secrecy',
      codecSteps: [
        {
          id: 200,
          name: 'xor',
          encode: (bytes) => bytes.map((byte) => byte ^ 0x5a),
          decode: (bytes) => bytes.map((byte) => byte ^ 0x5a),
        },
      ],
    }
    const { caches } = startNode({ namespace, plugins: [secrecy] })
    await caches.cache('c').set('k', 'hunter2', { tags: ['t'] })
    const [row] = (await larder(['show', 'c:k', '--values', '--json'], namespace)).rows
    expect(row).toMatchObject({ tags: ['t'], steps: [200] })
    expect(row).not.toHaveProperty('value')
    const { code, stdout } = await larder(['show', 'c:k', '--values'], namespace)
    expect([code, stdout]).toEqual([0, expect.stringContaining('codec steps 200')])
    expect((await larder(['explain', 'c:k', '--json'], namespace)).rows[0]).toMatchObject({
      outcome: 'hit',
    })
  })

  it('that is encrypted is shown by its header, and explained, without the key', async () => {
    const namespace = freshNamespace()
    const plugins = [encryption({ keys: [{ key: randomBytes(32) }] })]
    const { caches } = startNode({ namespace, plugins })
    await caches.cache('c').set('k', { secret: 'hunter2' }, { tags: ['t'] })
    const { code, stdout } = await larder(['show', 'c:k', '--values'], namespace)
    expect([code, stdout]).toEqual([0, expect.stringContaining('The value is not shown')])
    const [row] = (await larder(['show', 'c:k', '--values', '--json'], namespace)).rows
    expect(row).toMatchObject({ key: 'c:k', tags: ['t'], kind: 'value', steps: [8] })
    expect(row).not.toHaveProperty('value')
    expect((await larder(['keys', '--tag', 't', '--json'], namespace)).rows).toHaveLength(1)
    const [said] = (await larder(['explain', 'c:k', '--json'], namespace)).rows
    expect(said).toMatchObject({ outcome: 'hit' })
    expect((await larder(['evict', 'c:k', '--yes'], namespace)).code).toBe(0)
    expect((await larder(['show', 'c:k'], namespace)).code).toBe(4)
  })

  it('of a class that only the application knows is shown by its header', async () => {
    class Money {
      readonly cents: bigint
      constructor(cents: bigint) {
        this.cents = cents
      }
    }
    const types = [
      valueType({
        name: 'Money',
        class: Money,
        encode: ({ cents }) => String(cents),
        decode: (data) => new Money(BigInt(data as string)),
      }),
    ]
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace, types })
    await caches.cache('c').set('k', new Money(5n))
    const { code, stdout } = await larder(['show', 'c:k', '--values'], namespace)
    expect([code, stdout]).toEqual([0, expect.stringContaining('cannot be decoded here')])
  })
})

describe('locks and limits', () => {
  it('are listed as they are held and counted, and nothing of them changes', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    const limiter = caches.limiter({ name: 'api', limit: 5, per: '1h' })
    await limiter.consume('ip:1.2.3.4')
    await limiter.consume('ip:1.2.3.4')
    await caches.locks.run('free', { lease: '1m' }, async () => {})
    await caches.locks.run('order:7', { lease: '1m' }, async () => {
      const { rows } = await larder(['locks', '--json'], namespace)
      expect(rows).toEqual([
        expect.objectContaining({
          name: 'order:7',
          mode: 'write',
          waiting: 0,
          holders: [expect.anything()],
        }),
      ])
      const all = (await larder(['locks', '--all', '--json'], namespace)).rows
      expect(all.map(({ name }) => name).sort()).toEqual(['free', 'order:7'])
      expect((await larder(['locks', 'order:7'], namespace)).stdout).toContain('write')
      expect((await larder(['locks', 'nobody'], namespace)).code).toBe(4)
    })
    const { rows } = await larder(['limits', 'api', '--json'], namespace)
    expect(rows).toEqual([
      expect.objectContaining({ limiter: 'api', key: 'ip:1.2.3.4', used: 2, policy: 'api' }),
    ])
    expect((await larder(['limits', 'other', '--json'], namespace)).rows).toEqual([])
    expect((await limiter.consume('ip:1.2.3.4')).allowed).toBe(true)
  })

  it.each(['exact', 'window', 'smooth', 'fixed'] as const)(
    'what an algorithm has counted is read: %s',
    async (algorithm) => {
      const namespace = freshNamespace()
      const { caches } = startNode({ namespace })
      const limiter = caches.limiter({ name: 'api', limit: 50, per: '1h', algorithm })
      for (let i = 0; i < 3; i++) await limiter.consume('u}:7')
      const [row] = (await larder(['limits', '--json'], namespace)).rows
      expect(row).toMatchObject({ algorithm, key: 'u}:7', used: 3 })
    },
  )

  it('blocked keys are told', async () => {
    const namespace = freshNamespace()
    const { caches } = startNode({ namespace })
    const limiter = caches.limiter({ name: 'api', limit: 5, per: '1h' })
    await limiter.consume('a')
    await limiter.block('b', '1h')
    const { rows } = await larder(['limits', '--blocked', '--json'], namespace)
    expect(rows).toEqual([expect.objectContaining({ key: 'b', algorithm: 'block' })])
  })
})
