/** Whoever reaches Redis can write and publish anything: reads go on, nothing crashes, nothing is polluted. */

import { setTimeout as delay } from 'node:timers/promises'
import { compression } from '@larder/plugins/compression'
import { msgpackCodec } from '@larder/redis-store'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'
import { partitionOf } from '../../packages/core/src/coherence/partitions.ts'
import { decodeMessage } from '../../packages/redis-store/src/bus/bus-message.ts'
import { entryKey } from '../../packages/redis-store/src/key-layout.ts'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const seed = testSeed()
const codec = msgpackCodec()

it(`takes arbitrary bytes for no message, or for a whole one (SEED=${seed})`, () => {
  const kinds = ['k', 't', 'w', 'x', '']
  const lists = fc.array(fc.anything(), { maxLength: 6 })
  const framed = fc
    .tuple(fc.constantFrom(...kinds), lists)
    .map(([kind, fields]) => Buffer.concat([Buffer.from(kind), packed(fields)]))
  const raw = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(framed, raw), (bytes) => {
      try {
        const message = decodeMessage(bytes)
        expect(['keys', 'tags', 'wake']).toContain(message.kind)
        if (message.kind === 'keys') {
          expect(Number.isSafeInteger(message.seq) && message.seq >= 0).toBe(true)
          for (const key of message.keys) expect(typeof key).toBe('string')
        }
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    }),
    { seed: seed | 0, numRuns: 5_000 },
  )
})

it(`loads past whatever stands at a key, and says so (SEED=${seed})`, async () => {
  const namespace = freshNamespace()
  const node = startNode({ namespace, plugins: [compression({ threshold: 1 })] })
  const redis = rawClient()
  const cache = node.caches.cache<string>('c', { local: false })
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    // Something that begins like an entry of ours.
    fc.uint8Array({ minLength: 60, maxLength: 300 }).map((tail) => {
      const entry = Uint8Array.from(tail)
      entry.set([0xca, 0x01, 0, entry[3] ?? 0])
      return entry
    }),
  )
  let n = 0
  await fc.assert(
    fc.asyncProperty(bytes, async (garbage) => {
      n += 1
      const fullKey = `c:k${n}`
      await redis.set(entryKey(namespace, partitionOf(fullKey), fullKey), Buffer.from(garbage))
      expect(await cache.getOrLoad(`k${n}`, async () => 'from the source')).toBe('from the source')
    }),
    { seed: seed | 0, numRuns: 60 },
  )
}, 60_000)

it(`listens on, whatever is published (SEED=${seed})`, async () => {
  const namespace = freshNamespace()
  const [one, other] = [startNode({ namespace }), startNode({ namespace })]
  const redis = rawClient()
  const onOther = other.caches.cache<string>('c')
  await onOther.getOrLoad('k', async () => 'old')
  await eventually('it listens', () => other.seen('bus').at(-1)?.state === 'up')
  const [channel] = (await redis.pubsub('CHANNELS', `${namespace}:bus:*`)) as string[]
  for (const garbage of fc.sample(fc.uint8Array({ maxLength: 200 }), { seed, numRuns: 300 })) {
    await redis.publish(channel as string, Buffer.from(garbage))
  }
  await one.caches.cache('c').evict('k')
  await eventually('the eviction is heard', async () => {
    return (await onOther.getOrLoad('k', async () => 'new')) === 'new'
  })
}, 60_000)

const HOSTILE: readonly (readonly [string, () => Buffer])[] = [
  ['an array that promises four thousand million items', () => Buffer.from('ddffffffff', 'hex')],
  ['a map that promises as many', () => Buffer.from('dfffffffff', 'hex')],
  ['a text longer than the bytes', () => Buffer.from('dbffffffff41', 'hex')],
  ['a hundred thousand levels of arrays', () => Buffer.alloc(100_000, 0x91)],
  ['an extension that names a constructor', () => Buffer.from('c70373414243', 'hex')],
]

it.each(HOSTILE)('refuses %s', (_what, make) => {
  expect(() => codec.decode(make())).toThrow()
})

it('keeps `__proto__` a name like any other', () => {
  // {"__proto__": {"polluted": 1}}
  const hostile = Buffer.concat([
    Buffer.from([0x81, 0xa9]),
    Buffer.from('__proto__'),
    Buffer.from([0x81, 0xa8]),
    Buffer.from('polluted'),
    Buffer.from([1]),
  ])
  try {
    const value = codec.decode(hostile) as Record<string, unknown>
    expect(value['polluted']).toBeUndefined()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
  }
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

function packed(fields: unknown): Buffer {
  try {
    return Buffer.from(codec.encode(fields))
  } catch {
    return Buffer.from([0x90])
  }
}

function rawClient(): Redis {
  const client = new Redis(inject('redisUrl'))
  onTestFinished(async () => {
    await delay(0)
    client.disconnect()
  })
  return client
}
