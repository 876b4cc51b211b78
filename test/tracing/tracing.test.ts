/** Spans of a cache: whose children they are, what they are linked to, and that each of them ends once. */

import { tracingChannel } from 'node:diagnostics_channel'
import { type CacheManagerOptions, type CacheOptions, createCacheManager } from '@larder/core'
import type { ManualClock } from '@larder/core/testing'
import { localLocks, lruStore } from '@larder/local-store'
import { type TracingOptions, tracing } from '@larder/plugins/tracing'
import { SpanStatusCode } from '@opentelemetry/api'
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { counting, down, MemoryWorld, never } from '../policies/memory-world.ts'
import { deferred } from '../support/eventually.ts'
import {
  activeName,
  complaints,
  idOf,
  linksOf,
  type SpanMemory,
  spansInMemory,
} from './support/spans.ts'

const CHANNELS = ['load', 'read', 'evict', 'lock', 'limit'] as const

let world: MemoryWorld
let clock: ManualClock
let spans: SpanMemory

beforeEach(() => {
  world = new MemoryWorld('traced', { maxStaleness: '2s' })
  clock = world.clock
  spans = spansInMemory()
})

afterEach(() => {
  expect(complaints.splice(0)).toEqual([])
})

const settle = (): Promise<void> => clock.advanceAsync(0)

function traced(policy: CacheOptions = {}, options: TracingOptions = {}) {
  const { tracerProvider } = spans
  return world.startNode(policy, { plugins: [tracing({ tracerProvider, ...options })] })
}

/** A manager whose caches, locks and limits are of this process. */
function near(options: TracingOptions = {}, more: Partial<CacheManagerOptions> = {}) {
  const caches = createCacheManager({
    namespace: 'near',
    default: false,
    local: lruStore(),
    plugins: [tracing({ tracerProvider: spans.tracerProvider, ...options })],
    ...more,
  })
  onTestFinished(() => caches.close())
  return caches
}

const names = (): readonly string[] => spans.ended().map(({ name }) => name)
const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId
const listeners = (): readonly boolean[] =>
  CHANNELS.map((name) => tracingChannel(`larder:${name}`).hasSubscribers)

describe('a span', () => {
  it('is a child of the span of its own caller, though the store is asked once for all of a tick', async () => {
    const [writer, node] = [world.startNode(), traced()]
    for (const key of ['k1', 'k2']) await writer.cache.set(key, 'v')
    await node.cache.get('warm-up')
    const warm = spans.ended().length
    const load = (key: string) => () => node.cache.getOrLoad(key, async () => activeName())
    const requests = await Promise.all(
      ['k1', 'k2', 'k3'].map((key) => spans.request(key, load(key))),
    )
    const made = spans.ended().slice(warm)
    expect(made.map(({ name }) => name)).toEqual([
      'larder.read c',
      'larder.read c',
      'larder.read c',
      'larder.load c',
    ])
    const [r1, r2, r3] = requests.map(([span]) => idOf(span))
    expect(made.map(parentOf)).toEqual([r1, r2, r3, r3])
    expect(requests.map(([, found]) => found)).toEqual(['v', 'v', 'larder.load c'])
  })

  it('says what it came to, and nothing of keys', async () => {
    const node = traced()
    await node.cache.getOrLoad('k', async () => 'v', { tags: ['t'] })
    await node.cache.getOrLoad('nothing', async () => undefined)
    await node.cache.evict('k')
    const [read, load, , negative, evict] = spans.ended()
    expect(read?.attributes).toEqual({
      'larder.namespace': 'traced',
      'larder.cache.name': 'c',
      'larder.cache.joined': false,
      'larder.cache.result': 'miss',
      'larder.cache.missed': 'absent',
      'cache.hit': false,
    })
    expect(load?.attributes).toEqual({
      'larder.namespace': 'traced',
      'larder.cache.name': 'c',
      'larder.load.reason': 'miss',
      'larder.load.key_count': 1,
      'larder.cache.result': 'value',
    })
    expect(negative?.attributes['larder.cache.result']).toBe('negative')
    expect(evict?.attributes).toEqual({
      'larder.namespace': 'traced',
      'larder.cache.name': 'c',
      'larder.evict.key_count': 1,
      'larder.evict.tag_count': 0,
      'larder.evict.all': false,
      'larder.evict.result': 'done',
    })
  })

  it('of a hit in the store says that it was one', async () => {
    const [writer, node] = [world.startNode(), traced()]
    await writer.cache.set('k', 'v')
    await node.cache.get('k')
    const [read] = spans.ended()
    expect(read?.attributes).toMatchObject({ 'larder.cache.result': 'remote', 'cache.hit': true })
  })

  it('is the active one in the loader and in nothing after it', async () => {
    const node = traced()
    const late = async () => {
      await settle()
      return activeName()
    }
    const [, found] = await spans.request('r', async () => [
      await node.cache.getOrLoad('one', late),
      await node.cache.getManyOrLoad(['a', 'b'], async (keys) => {
        const name = await late()
        return keys.map(() => name)
      }),
      await node.cache.refresh('one', late),
      activeName(),
    ])
    expect(found).toEqual(['larder.load c', Array(2).fill('larder.load c'), 'larder.load c', 'r'])
  })

  it('of one load of many keys is one', async () => {
    const node = traced({}, { keys: 'plain', spans: ['load'] })
    await node.cache.getManyOrLoad(['a', 'b'], async (keys) => [...keys])
    expect(spans.ended().map(({ attributes }) => attributes['larder.cache.keys'])).toEqual([
      ['c:a', 'c:b'],
    ])
  })
})

describe('a local hit', () => {
  it('is no span: it is counted on the active one, if that is asked for', async () => {
    const node = traced({}, { localHits: true })
    await node.cache.getOrLoad('k', counting())
    await settle()
    const before = spans.ended().length
    const read = () => node.cache.getOrLoad('k', never)
    const [[one], [two]] = await Promise.all([
      spans.request('r1', async () => [await read(), await read(), await node.cache.get('k')]),
      spans.request('r2', read),
    ])
    await read()
    expect(spans.ended()).toHaveLength(before)
    expect([one, two].map(({ attributes }) => attributes)).toEqual([
      { 'larder.cache.local_hits': 3 },
      { 'larder.cache.local_hits': 1 },
    ])
  })

  it('is not even counted otherwise, and nothing listens to it', async () => {
    const heard: string[] = []
    const host = { manager: { isClosed: false }, onInCall: (name: string) => heard.push(name) }
    for (const localHits of [undefined, false, true]) {
      const { tracerProvider } = spans
      const plugin = tracing({ tracerProvider, localHits, spans: ['lock'] })
      const { manager } = host
      plugin.start?.(host as never)
      manager.isClosed = true
      plugin.stop?.()
      manager.isClosed = false
    }
    expect(heard).toEqual(['hit'])
    const node = traced()
    await node.cache.getOrLoad('k', counting())
    await settle()
    const [span] = await spans.request('r', () => node.cache.getOrLoad('k', never))
    expect(span.attributes).toEqual({})
  })
})

describe('a caller that waits for another one', () => {
  it('has a span of its own, linked to that of the loader and no child of it', async () => {
    const node = traced()
    await node.cache.get('warm-up')
    const warm = spans.ended().length
    const gate = deferred<string>()
    const first = spans.request('r1', () => node.cache.getOrLoad('k', () => gate.promise))
    const early = spans.request('r2', () => node.cache.getOrLoad('k', never))
    await settle()
    const late = spans.request('r3', () => node.cache.getOrLoad('k', never))
    gate.resolve('v')
    const [, [r2], [r3]] = await Promise.all([first, early, late])
    await settle()
    const [, two, load, three] = spans.ended().slice(warm)
    expect(load?.name).toBe('larder.load c')
    expect([two, three].map(linksOf)).toEqual(Array(2).fill([['loader', idOf(load)]]))
    expect([two, three].map(parentOf)).toEqual([r2, r3].map(idOf))
    expect(two?.attributes).toMatchObject({
      'larder.cache.joined': true,
      'larder.cache.result': 'joined',
      'cache.hit': false,
    })
  })

  it('is linked to the other one’s read if that finds it in the store', async () => {
    const [writer, node] = [world.startNode(), traced()]
    await writer.cache.set('k', 'v')
    await node.cache.get('warm-up')
    const warm = spans.ended().length
    await Promise.all([1, 2].map(() => node.cache.getOrLoad('k', never)))
    await settle()
    const [read, waiter] = spans.ended().slice(warm)
    expect(linksOf(waiter)).toEqual([['reader', idOf(read)]])
    expect(waiter?.attributes['cache.hit']).toBe(true)
  })

  it('ends its span when it stops waiting, and is linked all the same', async () => {
    const node = traced()
    await node.cache.get('warm-up')
    const warm = spans.ended().length
    const gate = deferred<string>()
    const first = node.cache.getOrLoad('k', () => gate.promise)
    const giveUp = new AbortController()
    const second = node.cache.getOrLoad('k', never, { signal: giveUp.signal })
    const failed = expect(second).rejects.toThrow('enough')
    await settle()
    giveUp.abort(new TypeError('enough'))
    await failed
    await settle()
    const [, waiter] = spans.ended().slice(warm)
    expect(waiter?.attributes['error.type']).toBe('TypeError')
    expect(waiter?.attributes['cache.hit']).toBeUndefined()
    gate.resolve('v')
    await first
    await settle()
    const load = spans.ended().find(({ name, links }) => name === 'larder.load c' && !links.length)
    expect(linksOf(waiter)).toEqual([['loader', idOf(load)]])
  })

  it('is linked in a cache of this process alone, too', async () => {
    const node = traced({ remote: false })
    const gate = deferred<string>()
    const first = node.cache.getOrLoad('k', () => gate.promise)
    const second = node.cache.getOrLoad('k', never)
    gate.resolve('v')
    await Promise.all([first, second])
    await settle()
    const [load, waiter] = spans.ended()
    expect([load?.name, waiter?.name]).toEqual(['larder.load c', 'larder.read c'])
    expect(linksOf(waiter)).toEqual([['loader', idOf(load)]])
  })
})

describe('a refresh', () => {
  it.each([
    ['of what this process holds', {}],
    ['of what the store holds', { local: false }],
  ] as const)(
    'behind a caller, %s, is a trace of its own, linked to who set it off',
    async (_, policy) => {
      const node = traced({ ttl: '1s', staleWhileRevalidate: '1h', ...policy })
      await node.cache.set('k', 'old')
      await clock.advanceAsync(1_500)
      const [request, found] = await spans.request('r', () =>
        node.cache.getOrLoad('k', async () => activeName()),
      )
      await settle()
      expect(found).toBe('old')
      const load = spans.ended().find(({ name }) => name === 'larder.load c')
      expect(parentOf(load)).toBeUndefined()
      expect(load?.spanContext().traceId).not.toBe(request.spanContext().traceId)
      expect(linksOf(load)).toEqual([['trigger', idOf(request)]])
      expect(load?.attributes['larder.load.reason']).toBe('refresh')
      for (const read of spans.ended().filter(({ name }) => name === 'larder.read c')) {
        const isOfRequest = parentOf(read) === idOf(request)
        expect(linksOf(read)).toEqual(isOfRequest ? [] : [['trigger', idOf(request)]])
      }
      expect(await node.cache.get('k')).toBe('larder.load c')
    },
  )

  it('that a caller asks for and waits for is its child', async () => {
    const node = traced()
    const [request] = await spans.request('r', () => node.cache.refresh('k', counting()))
    await settle()
    const [read, load] = spans.ended()
    expect([read, load].map(parentOf)).toEqual([request, request].map(idOf))
    expect([read, load].map(linksOf)).toEqual([[], []])
    expect(read?.attributes['larder.cache.result']).toBe('refresh')
    expect(read?.attributes['cache.hit']).toBeUndefined()
  })
})

describe('a span that fails', () => {
  const loads = (): readonly ReadableSpan[] =>
    spans.ended().filter(({ name }) => name.startsWith('larder.load'))

  it('ends once: rejected, thrown at once, too long, given up, or still running at the end', async () => {
    const node = traced({ loadTimeout: '1s' })
    await expect(node.cache.getOrLoad('rejects', down)).rejects.toThrow('down')
    const thrown = node.cache.getOrLoad('throws', () => {
      throw new RangeError('at once')
    })
    await expect(thrown).rejects.toThrow('at once')
    const late = expect(
      node.cache.getOrLoad('late', () => new Promise(() => undefined)),
    ).rejects.toMatchObject({ code: 'LARDER_LOAD_TIMEOUT' })
    await clock.advanceAsync(1_000)
    await late
    const giveUp = new AbortController()
    const given = expect(
      node.cache.getOrLoad(
        'given up',
        ({ signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        { signal: giveUp.signal },
      ),
    ).rejects.toThrow('enough')
    await settle()
    giveUp.abort(new TypeError('enough'))
    await given
    const patient = node.caches.cache('patient', { loadTimeout: '1h' })
    void patient.getOrLoad('endless', () => new Promise(() => undefined)).catch(() => 0)
    await settle()
    const closing = node.caches.close()
    await clock.advanceAsync(5_000)
    await closing
    expect(spans.open.size).toBe(0)
    expect(loads().map(({ attributes }) => attributes['error.type'])).toEqual([
      'Error',
      'RangeError',
      'LARDER_LOAD_TIMEOUT',
      'TypeError',
      'LARDER_CLOSED',
    ])
    expect(loads().map(({ status }) => status)).toEqual(
      Array(5).fill({ code: SpanStatusCode.ERROR }),
    )
    expect(spans.ended().flatMap(({ events }) => events)).toEqual([])
  })

  it('has the message of the error where keys are shown', async () => {
    const node = traced({}, { keys: 'plain', spans: ['load'] })
    await expect(node.cache.getOrLoad('k', down)).rejects.toThrow('down')
    const [load] = spans.ended()
    expect(load?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'down' })
    expect(load?.events.map(({ name }) => name)).toEqual(['exception'])
  })

  it('of what is no error is of no kind', async () => {
    const node = traced({}, { keys: 'plain', spans: ['load'] })
    // What a library rejects with.
    const odd: unknown = Object.create(null)
    await expect(node.cache.getOrLoad('k', () => Promise.reject(odd))).rejects.toBe(odd)
    const [load] = spans.ended()
    expect(load?.attributes['error.type']).toBe('_OTHER')
  })

  it('ends with the manager, also where the store never answers', async () => {
    const node = traced()
    await node.cache.get('warm-up')
    node.store.faults.hang()
    const calls = [node.cache.evict('k'), node.cache.get('k'), node.cache.getOrLoad('l', never)]
    for (const call of calls) call.catch(() => undefined)
    await settle()
    expect(spans.open.size).toBeGreaterThan(0)
    const closing = node.caches.close()
    await clock.advanceAsync(5_000)
    await closing
    expect(spans.open.size).toBe(0)
    const evict = spans.ended().find(({ name }) => name === 'larder.evict')
    expect(evict?.attributes['larder.unfinished']).toBe(true)
  })

  it('is none of an eviction that waits for the store', async () => {
    const node = traced({}, { spans: ['evict'] })
    await node.cache.get('warm-up')
    node.store.disconnect()
    await node.cache.evict('k')
    const [evict] = spans.ended()
    expect(evict?.attributes['larder.evict.result']).toBe('queued')
    expect(evict?.attributes['error.type']).toBeTypeOf('string')
    expect(evict?.status).toEqual({ code: SpanStatusCode.UNSET })
  })
})

describe('locks and limits', () => {
  it('have a span for the wait, one for the hold, and one for a verdict', async () => {
    const caches = near({ keys: 'plain' })
    const limiter = caches.limiter({ name: 'api', limit: 1, per: '1h' })
    const [request] = await spans.request('r', async () => {
      await caches.locks.run('a', {}, async () => 'done')
      await limiter.consume('k')
      await limiter.consume('k')
    })
    const made = spans.ended()
    expect(made.map(parentOf)).toEqual(made.map(() => idOf(request)))
    expect(
      made.map(({ name, attributes }) => [
        name,
        attributes['larder.lock.result'] ?? attributes['larder.limit.allowed'],
        attributes['larder.lock.key'] ?? attributes['larder.limit.key'],
      ]),
    ).toEqual([
      ['larder.lock.wait', 'granted', 'a'],
      ['larder.lock.hold', 'released', 'a'],
      ['larder.limit api', true, 'k'],
      ['larder.limit api', false, 'k'],
    ])
  })

  it('end theirs before close() resolves', async () => {
    const caches = near()
    await caches.locks.acquire('a')
    const waiting = expect(caches.locks.acquire('a', { wait: '1h' })).rejects.toMatchObject({
      code: 'LARDER_CLOSED',
    })
    expect(spans.open.size).toBe(2)
    await caches.close()
    expect(spans.open.size).toBe(0)
    await waiting
    expect(names()).toEqual(['larder.lock.wait', 'larder.lock.hold', 'larder.lock.wait'])
  })
})

describe('keys', () => {
  const keysOf = async (options: TracingOptions) => {
    const memory = spansInMemory()
    const node = world.startNode(
      {},
      {
        locks: localLocks(),
        plugins: [tracing({ tracerProvider: memory.tracerProvider, ...options })],
      },
    )
    const load = node.cache.getOrLoad('user:ada@example.org', down, { tags: ['ada'] })
    await expect(load).rejects.toThrow('down')
    await node.cache.evictMany(['user:ada@example.org'])
    await node.caches.evictTags(['ada'])
    await node.caches.locks.run('ada', {}, async () => 'done')
    await settle()
    return memory.ended().map(({ name, attributes, status, events }) => ({
      name,
      attributes,
      status,
      events,
    }))
  }

  it('are nowhere by default, not even in what errors say', async () => {
    const made = JSON.stringify(await keysOf({}))
    expect(made).toContain('larder.evict')
    expect(made).not.toMatch(/ada|down/)
  })

  it('are hashes, the same on every node, or plain, if that is asked for', async () => {
    const [one, two] = [await keysOf({ keys: 'hash' }), await keysOf({ keys: 'hash' })]
    expect(JSON.stringify(one)).not.toMatch(/ada|down/)
    const hash = one[0]?.attributes['larder.cache.key']
    expect(hash).toMatch(/^[0-9a-f]{16}$/)
    expect(two[0]?.attributes['larder.cache.key']).toBe(hash)
    const plain = await keysOf({ keys: 'plain' })
    expect(plain[0]?.attributes['larder.cache.key']).toBe('c:user:ada@example.org')
    expect(plain.find(({ attributes }) => attributes['larder.cache.tags'])?.attributes).toEqual(
      expect.objectContaining({ 'larder.cache.tags': ['ada'] }),
    )
  })

  it('of many are named up to a number', async () => {
    const node = traced({}, { keys: 'plain', spans: ['evict'] })
    await node.cache.evictMany(Array.from({ length: 40 }, (_, i) => `k${i}`))
    const { attributes } = spans.ended()[0] as ReadableSpan
    expect(attributes['larder.evict.key_count']).toBe(40)
    expect(attributes['larder.cache.keys']).toHaveLength(16)
  })
})

describe('the plugin', () => {
  it('subscribes with the first manager, and unsubscribes exactly its own with the last', async () => {
    const heard: unknown[] = []
    const other = {
      start: (message: unknown) => void heard.push(message),
      end: () => undefined,
      asyncStart: () => undefined,
      asyncEnd: () => undefined,
      error: () => undefined,
    }
    const channel = tracingChannel('larder:load')
    expect(listeners()).toEqual([false, false, false, false, false])
    const plugin = tracing({ tracerProvider: spans.tracerProvider })
    expect(listeners()).toEqual([false, false, false, false, false])
    const [one, two] = [1, 2].map(() => near({}, { plugins: [plugin] }))
    const third = near()
    channel.subscribe(other)
    onTestFinished(() => void channel.unsubscribe(other))
    await one?.close()
    await two?.cache('c').getOrLoad('k', async () => 'v')
    expect(names()).toEqual(['larder.load c'])
    await two?.close()
    await third.cache('c').getOrLoad('k', async () => 'v')
    expect(names()).toEqual(['larder.load c', 'larder.load c'])
    await third.close()
    await near({}, { plugins: [] })
      .cache('c')
      .getOrLoad('k', async () => 'v')
    expect(heard).toHaveLength(3)
    expect(listeners()).toEqual([true, false, false, false, false])
  })

  it('sees nothing of another manager, also of the same namespace', async () => {
    const others = spansInMemory()
    const mine = near()
    const its = near({ tracerProvider: others.tracerProvider })
    const untraced = near({}, { plugins: [] })
    for (const caches of [mine, its, untraced]) {
      await caches.cache('c').getOrLoad('k', async () => activeName())
      await caches.cache('c').evict('k')
      await caches.locks.run('a', {}, async () => 'done')
      await caches.limiter({ name: 'api', limit: 1, per: '1h' }).consume('k')
    }
    const each = [
      'larder.load c',
      'larder.evict',
      'larder.lock.wait',
      'larder.lock.hold',
      'larder.limit api',
    ]
    expect(names()).toEqual(each)
    expect(others.ended().map(({ name }) => name)).toEqual(each)
  })

  it('does not hide what a span processor throws: Node.js throws it where nobody catches it', async () => {
    const thrown: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => thrown.push(error))
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    })
    const tracerProvider = new BasicTracerProvider({
      spanProcessors: [
        {
          onStart: () => {
            throw new Error('a processor')
          },
          onEnd: () => undefined,
          forceFlush: async () => undefined,
          shutdown: async () => undefined,
        },
      ],
    })
    const caches = near({ tracerProvider })
    expect(await caches.cache('c').getOrLoad('k', async () => 'v')).toBe('v')
    await caches.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(thrown.map(String)).toEqual(['Error: a processor'])
  })

  it('that two managers share goes on for the one when the other closes', async () => {
    const plugins = [tracing({ tracerProvider: spans.tracerProvider })]
    const [one, two] = [near({}, { plugins }), near({}, { plugins })]
    const gate = deferred<string>()
    const reading = two.cache('c').getOrLoad('k', () => gate.promise)
    await settle()
    await one.close()
    expect(spans.open.size).toBe(1)
    gate.resolve('v')
    await reading
    await settle()
    expect(spans.open.size).toBe(0)
    expect(spans.ended()[0]?.attributes).toMatchObject({ 'larder.cache.result': 'value' })
    expect(spans.ended()[0]?.attributes['larder.unfinished']).toBeUndefined()
  })

  it('makes only the spans that it is asked for', async () => {
    const node = traced({}, { spans: ['read', 'read'] })
    await node.cache.getOrLoad('k', counting())
    expect(names()).toEqual(['larder.read c'])
  })

  it('is gone when a plugin after it cannot start', async () => {
    const broken = {
      name: 'broken',
      start: () => {
        throw new Error('cannot start')
      },
    }
    const plugins = [tracing({ tracerProvider: spans.tracerProvider }), broken]
    expect(() => near({}, { plugins })).toThrow('cannot start')
    await expect.poll(listeners).toEqual([false, false, false, false, false])
  })

  it('uses the provider of the process if it is given none, also one that comes later', async () => {
    const { trace } = await import('@opentelemetry/api')
    const node = world.startNode({}, { plugins: [tracing()] })
    await node.cache.getOrLoad('before', counting())
    trace.setGlobalTracerProvider(spans.tracerProvider)
    onTestFinished(() => trace.disable())
    await node.cache.getOrLoad('after', counting())
    expect(names()).toEqual(['larder.read c', 'larder.load c'])
  })

  it.each([
    [{ keys: 'all' }, 'tracing.keys'],
    [{ spans: [] }, 'tracing.spans'],
    [{ spans: 'load' }, 'tracing.spans'],
    [{ spans: ['load', 'hit'] }, 'tracing.spans[1]'],
    [{ tracerProvider: {} }, 'tracing.tracerProvider'],
    [{ tracerProvider: null }, 'tracing.tracerProvider'],
    [{ localHits: 'yes' }, 'tracing.localHits'],
    [{ tracer: 1 }, 'tracing.tracer'],
  ])('refuses %j', (options, option) => {
    expect(() => tracing(options as TracingOptions)).toThrow(
      expect.objectContaining({
        code: 'LARDER_INVALID_OPTION',
        message: expect.stringContaining(option),
      }),
    )
  })
})
