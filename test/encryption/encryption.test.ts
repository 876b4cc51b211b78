/** Encryption over a real Redis, with somebody who can write to it: nothing that was changed, moved or left plain is read. */

import { randomBytes } from 'node:crypto'
import {
  type CacheEvents,
  type CacheManager,
  type CacheOptions,
  createCacheManager,
} from '@larder/core'
import {
  decodeHeader,
  FLAG,
  HEADER_BYTES,
  OFFSET,
  type Plugin,
  partitionOf,
} from '@larder/core/store'
import { lruStore } from '@larder/local-store'
import { compression } from '@larder/plugins/compression'
import { ENCRYPTION_STEP_ID, encryption } from '@larder/plugins/encryption'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  onTestFinished,
  vi,
} from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'

const key = { key: randomBytes(32) }
const otherKey = { key: randomBytes(32) }
const never = (): Promise<never> => Promise.reject(new Error('must not load'))

let redis: Redis
let namespace: string

beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})
afterAll(() => redis.disconnect())
beforeEach(() => {
  namespace = freshNamespace()
})

interface Node {
  readonly caches: CacheManager
  /** Why entries could not be read. */
  readonly unread: () => readonly string[]
  readonly events: readonly CacheEvents['undecodable'][]
}

/** A node that keeps nothing itself. */
function startNode(
  plugins: readonly Plugin[] = [encryption({ keys: [key] })],
  policy: CacheOptions = {},
  name = namespace,
): Node {
  const caches = createCacheManager({
    namespace: name,
    default: false,
    logger: false,
    storeTimeout: '10s',
    remote: redisStore({ url: inject('redisUrl') }),
    local: lruStore(),
    plugins,
    defaults: { ttl: '1h', jitter: 0, local: false, ...policy },
  })
  onTestFinished(() => caches.close())
  const events: CacheEvents['undecodable'][] = []
  caches.on('undecodable', (event) => events.push(event))
  const unread = () =>
    events.map(({ reason, error }) => {
      const { reason: word } = error as { reason?: string }
      return word === undefined ? reason : `${reason}: ${word}`
    })
  return { caches, unread, events }
}

const place = (full: string, name = namespace): string => `{${name}:${partitionOf(full)}}:${full}`

async function stored(full: string, name = namespace): Promise<Buffer> {
  const bytes = await redis.getBuffer(place(full, name))
  if (bytes === null) throw new Error(`nothing under ${full}`)
  return bytes
}

/** What an intruder does: bytes as they like, under a key that they like. */
async function plant(full: string, bytes: Uint8Array, name = namespace): Promise<void> {
  await redis.set(place(full, name), Buffer.from(bytes), 'PX', 3_600_000)
}

/** An entry of which only the steps and the payload are others. */
function withSteps(bytes: Buffer, steps: readonly number[], payload?: Uint8Array): Buffer {
  const before = bytes[3] ?? 0
  const rest = bytes.subarray(HEADER_BYTES + before)
  const tagsEnd = bytes.readUInt16BE(42)
  const head = Buffer.from(bytes.subarray(0, HEADER_BYTES))
  head[3] = steps.length
  const tail = payload === undefined ? [rest] : [rest.subarray(0, tagsEnd), payload]
  return Buffer.concat([head, Buffer.from(steps), ...tail])
}

describe('what is stored', () => {
  it('is not in Redis as text, and is read by another node', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.caches.cache('c').set('k', { card: '4111 1111 1111 1111' }, { tags: ['user:7'] })
    const bytes = await stored('c:k')
    expect(bytes.includes('4111')).toBe(false)
    // Keys and tags stay readable: tags are compared by nodes that do not open the entry.
    expect(bytes.includes('user:7')).toBe(true)
    expect(await b.caches.cache('c').get('k')).toEqual({ card: '4111 1111 1111 1111' })
    expect([...(bytes.subarray(HEADER_BYTES, HEADER_BYTES + 1) ?? [])]).toEqual([
      ENCRYPTION_STEP_ID,
    ])
    expect(b.unread()).toEqual([])
  })

  it('is compressed first; the other way round is refused', async () => {
    const plugins = () => [
      compression({ algorithm: 'gzip', threshold: 0 }),
      encryption({ keys: [key] }),
    ]
    const [a, b] = [startNode(plugins()), startNode(plugins())]
    const text = 'the same again and again; '.repeat(400)
    await a.caches.cache('c').set('k', text)
    expect((await stored('c:k')).length).toBeLessThan(1_000)
    expect(await b.caches.cache('c').get('k')).toBe(text)
    expect(() => startNode(plugins().reverse())).toThrow(
      /codec step encryption\.required takes that the step is the last one.*after that of compression:gzip/,
    )
  })
})

describe('somebody who writes to Redis', () => {
  it('cannot swap entries: of two keys, two caches, two namespaces', async () => {
    const other = freshNamespace()
    const a = startNode()
    const elsewhere = startNode(undefined, {}, other)
    await a.caches.cache('c').set('k', 'mine')
    await a.caches.cache('c').set('l', 'yours')
    await a.caches.cache('d').set('k', 'of d')
    await elsewhere.caches.cache('c').set('k', 'of another application')
    const [k, l, o] = await Promise.all([stored('c:k'), stored('c:l'), stored('c:k', other)])
    await plant('c:k', l)
    await plant('c:l', k)
    await plant('d:k', k)
    await plant('c:m', o)
    await plant('c:k', k, other)
    const b = startNode()
    const away = startNode(undefined, {}, other)
    expect(await b.caches.cache('c').getMany(['k', 'l', 'm'])).toEqual(Array(3).fill(undefined))
    expect(await b.caches.cache('d').get('k')).toBeUndefined()
    expect(await away.caches.cache('c').get('k')).toBeUndefined()
    // Of another namespace even the births are others, which is noticed before the bytes are opened.
    expect(b.unread()).toEqual(Array(3).fill('step: tag'))
  })

  it('cannot opt out of encryption, reorder steps, or name one twice', async () => {
    const plugins = () => [
      compression({ algorithm: 'gzip', threshold: 0 }),
      encryption({ keys: [key] }),
    ]
    const a = startNode(plugins())
    await a.caches.cache('c').set('k', 'x'.repeat(5_000))
    const bytes = await stored('c:k')
    const steps = [...bytes.subarray(HEADER_BYTES, HEADER_BYTES + (bytes[3] ?? 0))]
    expect(steps).toEqual([expect.any(Number), ENCRYPTION_STEP_ID])
    const gzip = steps[0] as number
    // As this application's codec writes it.
    await startNode([]).caches.cache('c').set('plain', 'planted')
    const foreign = await stored('c:plain')
    const payload = foreign.subarray(HEADER_BYTES)
    const forgeries: readonly (readonly [Buffer, string])[] = [
      [foreign, 'missing-step'],
      [withSteps(bytes, [], payload), 'missing-step'],
      [withSteps(bytes, [gzip]), 'missing-step'],
      [withSteps(bytes, [ENCRYPTION_STEP_ID, gzip]), 'missing-step'],
      [withSteps(bytes, [ENCRYPTION_STEP_ID]), 'step: tag'],
      [withSteps(bytes, [gzip, gzip, ENCRYPTION_STEP_ID]), 'format'],
      [withSteps(bytes, [ENCRYPTION_STEP_ID, ENCRYPTION_STEP_ID]), 'format'],
      [withSteps(bytes, Array(255).fill(gzip)), 'format'],
      [withSteps(bytes, [77, ENCRYPTION_STEP_ID]), 'unknown-step'],
      [withSteps(bytes, [ENCRYPTION_STEP_ID], payload), 'step: format'],
      [
        withSteps(bytes, [ENCRYPTION_STEP_ID], Buffer.concat([Buffer.of(1), randomBytes(99)])),
        'step: unknown-key',
      ],
    ]
    for (const [forgery, expected] of forgeries) {
      await plant('c:k', forgery)
      const node = startNode(plugins())
      expect(await node.caches.cache('c').get('k'), expected).toBeUndefined()
      expect(node.unread()).toEqual([expected])
    }
    await plant('c:k', bytes)
    expect(await startNode(plugins()).caches.cache('c').get('k')).toBe('x'.repeat(5_000))
  })

  it('cannot make another thing of an entry by its header', async () => {
    const policy: CacheOptions = { negativeTtl: '1h', cacheErrors: () => '1h', version: 1 }
    const a = startNode(undefined, policy)
    await a.caches.cache('c').set('k', 'v', { tags: ['t'] })
    const bytes = await stored('c:k')
    // An entry that is born later would outlive the eviction of its tag.
    await a.caches.evictTags(['t'])
    await a.caches.cache('c').set('later', 'v')
    const later = decodeHeader(await stored('c:later'))?.birth ?? 0
    const flag = (bit: number) => (copy: Buffer) => {
      copy[OFFSET.flags] = (copy[OFFSET.flags] ?? 0) ^ bit
    }
    const fresh = async (): Promise<Buffer> => {
      await a.caches.cache('c').set('k', 'v', { tags: ['t'] })
      return stored('c:k')
    }
    const changes: Record<string, (copy: Buffer) => void> = {
      negative: flag(FLAG.negative),
      error: flag(FLAG.error),
      put: flag(FLAG.put),
      commit: (copy) => copy.writeUIntBE((decodeHeader(copy)?.commit ?? 2) - 1, OFFSET.commit, 6),
      birth: (copy) => copy.writeDoubleBE(later, 10),
    }
    for (const [name, change] of Object.entries(changes)) {
      const copy = Buffer.from(name === 'birth' ? bytes : await fresh())
      change(copy)
      await plant('c:k', copy)
      const node = startNode(undefined, policy)
      expect(await node.caches.cache('c').get('k'), name).toBeUndefined()
      expect(node.unread(), name).toEqual(['step: tag'])
    }
    // So would one without its tags.
    const whole = await fresh()
    const tagsBytes = whole.readUInt16BE(42)
    const stripped = Buffer.concat([
      whole.subarray(0, HEADER_BYTES + 1),
      whole.subarray(HEADER_BYTES + 1 + tagsBytes),
    ])
    stripped.writeUInt16BE(0, 42)
    await plant('c:k', stripped)
    const node = startNode(undefined, policy)
    expect(await node.caches.cache('c').get('k')).toBeUndefined()
    expect(node.unread()).toEqual(['step: tag'])
    // What another version of the cache wrote is not of this one, whatever the header says.
    const next = startNode(undefined, { ...policy, version: 2 })
    await next.caches.cache('c').set('l', 'v')
    const schema = (await stored('c:l')).readUInt32BE(44)
    const relabelled = Buffer.from(whole)
    relabelled.writeUInt32BE(schema, 44)
    await plant('c:k', relabelled)
    expect(await next.caches.cache('c').get('k')).toBeUndefined()
    expect(next.unread()).toEqual(['step: tag'])
  })
})

describe('what Redis does to an entry', () => {
  it('leaves it readable: lease, waiters, soft eviction, and the value for when loads fail', async () => {
    const policy: CacheOptions = { staleIfError: '1h' }
    const [a, b] = [startNode(undefined, policy), startNode(undefined, policy)]
    await a.caches.cache('c').set('k', 'v', { tags: ['t'] })
    await a.caches.cache('c').evict('k', { soft: true })
    const gate = deferred<string>()
    const begun = deferred()
    const failing = b.caches.cache('c').getOrLoad('k', () => {
      begun.resolve()
      return gate.promise
    })
    await begun.promise
    const waiting = a.caches.cache('c').getOrLoad('k', async () => 'by the waiter')
    await eventually('somebody waits', async () => {
      const flags = decodeHeader(await stored('c:k'))?.flags ?? 0
      return (flags & FLAG.waited) !== 0 && (flags & FLAG.stale) !== 0
    })
    gate.reject(new Error('down'))
    expect(await failing).toBe('v')
    expect(await waiting).toBe('by the waiter')
    expect([...a.unread(), ...b.unread()]).toEqual([])
  })

  it('leaves what is loaded in a settle window readable, with a shorter life', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.caches.cache('c').set('k', 'v1')
    await a.caches.cache('c').evict('k', { settle: '1m' })
    expect(await a.caches.cache('c').getOrLoad('k', async () => 'v2')).toBe('v2')
    const entry = await eventually('it is stored', () => b.caches.cache('c').getEntry('k'))
    expect([entry.value, entry.livesForMs <= 60_000]).toEqual(['v2', true])
    expect(b.unread()).toEqual([])
  })
})

describe('a wrong key', () => {
  it('makes reads misses, with one load each, no error, and few events', async () => {
    const a = startNode()
    const keys = Array.from({ length: 50 }, (_, n) => `k${n}`)
    await a.caches.cache<string>('c').warm(keys.map((each) => [each, 'v'] as const))
    const wrong = startNode([encryption({ keys: [otherKey] })])
    const cache = wrong.caches.cache<string>('c')
    const load = vi.fn(async () => 'loaded')
    const found = await Promise.all(
      keys.flatMap((each) => [cache.getOrLoad(each, load), cache.getOrLoad(each, load)]),
    )
    expect(new Set(found)).toEqual(new Set(['loaded']))
    expect(load).toHaveBeenCalledTimes(keys.length)
    await eventually('what was loaded can be read here', async () => {
      const again = await cache.getMany(keys)
      return again.every((value) => value === 'loaded')
    })
    expect(await cache.getOrLoad('k0', never)).toBe('loaded')
    expect(wrong.events.length).toBeLessThanOrEqual(10)
    expect(new Set(wrong.unread())).toEqual(new Set(['step: unknown-key']))
    expect(wrong.caches.stats().undecodable).toBeGreaterThanOrEqual(keys.length)
  })

  it('that comes when a key is taken away under way is the same', async () => {
    let keys = [key, otherKey]
    const first = startNode([encryption({ keys: [key] })])
    await first.caches.cache('c').set('k', 'v')
    const plugin = encryption({ keys: () => keys, refreshEvery: '1s' })
    const node = startNode([plugin])
    expect(await node.caches.cache('c').get('k')).toBe('v')
    keys = [otherKey]
    await eventually('the key is gone', () => plugin.usage().keys.length === 1)
    expect(await node.caches.cache('c').getOrLoad('k', async () => 'anew')).toBe('anew')
    expect(node.unread()).toContain('step: unknown-key')
  })
})

describe('a roll-out', () => {
  it('reads entries of both kinds, counts the plain ones, and writes encrypted ones', async () => {
    const before = startNode([])
    await before.caches.cache('c').set('old', 'plain')
    const plugin = encryption({ keys: [key], accept: 'both' })
    const during = startNode([plugin])
    expect(await during.caches.cache('c').get('old')).toBe('plain')
    await during.caches.cache('c').set('new', 'encrypted')
    expect(plugin.usage()).toMatchObject({ plainRead: 1, keys: [{ written: 1 }] })
    expect((await stored('c:new')).includes('encrypted')).toBe(false)
    // Nodes of before do not know the step: a miss for them.
    expect(await before.caches.cache('c').get('new')).toBeUndefined()
    expect(before.unread()).toEqual(['unknown-step'])
    const after = startNode()
    expect(await after.caches.cache('c').getMany(['old', 'new'])).toEqual([undefined, 'encrypted'])
    expect(after.unread()).toEqual(['missing-step'])
  })

  it('of a new key goes in three releases without a miss', async () => {
    const releases = [[key], [key, otherKey], [otherKey, key], [otherKey]]
    const nodes = releases.map((keys) => startNode([encryption({ keys })]))
    for (let n = 0; n + 1 < nodes.length; n++) {
      const [before, after] = [nodes[n], nodes[n + 1]]
      await before?.caches.cache('c').set('k', `of ${n}`)
      await after?.caches.cache('c').set('l', `of ${n + 1}`)
      // What was written before the last release is out of use by then: its longest life is over.
      if (n + 2 < nodes.length) {
        expect(await after?.caches.cache('c').get('k')).toBe(`of ${n}`)
        expect(await before?.caches.cache('c').get('l')).toBe(`of ${n + 1}`)
      }
    }
    expect(nodes.flatMap((node) => node.unread())).toEqual([])
  })
})
