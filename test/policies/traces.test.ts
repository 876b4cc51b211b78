/** Tracing channels: begun in the context of who asked, ended once whatever happens, and nothing for local hits. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { type TracingChannelSubscribers, tracingChannel } from 'node:diagnostics_channel'
import {
  createCacheManager,
  type EvictTrace,
  type LimitTrace,
  type LoadTrace,
  type LockTrace,
  type ReadTrace,
  type Trace,
} from '@larder/core'
import { partitionOf } from '@larder/core/store'
import type { ManualClock } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { OpenTrace } from '../../packages/core/src/events/open-trace.ts'
import { deferred } from '../support/eventually.ts'
import { counting, down, MemoryWorld, never } from './memory-world.ts'

/** A message, which request began it, and how often it has ended. */
interface Seen<Message> {
  readonly message: Message
  readonly request: string | undefined
  endedIn: (string | undefined)[]
  failed: number
}

const requests = new AsyncLocalStorage<string>()
let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('traces', { maxStaleness: '2s' })
  clock = world.clock
})

const settle = (): Promise<void> => clock.advanceAsync(0)

/** Listens to a channel until the test ends. */
function seen<Message extends Trace>(name: string): Seen<Message>[] {
  const all: Seen<Message>[] = []
  const byMessage = new Map<object, Seen<Message>>()
  const of = (message: object): Seen<Message> => {
    const found = byMessage.get(message)
    if (found === undefined) throw new Error('ended before it began')
    return found
  }
  const subscribers: TracingChannelSubscribers<object> = {
    start: (message) => {
      const request = requests.getStore()
      const begun = { message: message as Message, request, endedIn: [], failed: 0 }
      all.push(begun)
      byMessage.set(message, begun)
    },
    end: (message) => void of(message),
    asyncStart: (message) => void of(message),
    asyncEnd: (message) => void of(message).endedIn.push(requests.getStore()),
    error: (message) => {
      of(message).failed += 1
    },
  }
  const channel = tracingChannel<unknown, object>(name)
  channel.subscribe(subscribers)
  onTestFinished(() => void channel.unsubscribe(subscribers))
  return all
}

const loads = (): Seen<LoadTrace>[] => seen<LoadTrace>('larder:load')
const reads = (): Seen<ReadTrace>[] => seen<ReadTrace>('larder:read')
const outcomes = (all: readonly Seen<{ outcome?: string } & Trace>[]) =>
  all.map(({ message, endedIn }) => [message.outcome, endedIn.length])

describe('a read', () => {
  it('begins and ends in the context of its own caller, though the store is asked once for all', async () => {
    const [a, b] = [world.startNode(), world.startNode()]
    await a.cache.set('k1', 'v')
    await a.cache.set('k2', 'v')
    await b.cache.get('warm-up')
    const [read, load] = [reads(), loads()]
    const inRequest = (request: string, key: string) =>
      requests.run(request, () => b.cache.getOrLoad(key, async () => requests.getStore()))
    const found = await Promise.all([
      inRequest('r1', 'k1'),
      inRequest('r2', 'k2'),
      inRequest('r3', 'k3'),
    ])
    await settle()
    expect(found).toEqual(['v', 'v', 'r3'])
    expect(read.map(({ message, request, endedIn }) => [message.key, request, endedIn])).toEqual([
      ['c:k1', 'r1', ['r1']],
      ['c:k2', 'r2', ['r2']],
      ['c:k3', 'r3', ['r3']],
    ])
    expect(read.map(({ message }) => [message.outcome, message.missed])).toEqual([
      ['remote', undefined],
      ['remote', undefined],
      ['miss', 'absent'],
    ])
    expect(load.map(({ message, request, endedIn }) => [message.keys, request, endedIn])).toEqual([
      [['c:k3'], 'r3', ['r3']],
    ])
    expect(load[0]?.message.flights).toEqual([read[2]?.message.flight])
    expect(load[0]?.message).toMatchObject({
      namespace: 'traces',
      cache: 'c',
      manager: b.caches,
      where: 'cache(c)',
      reason: 'miss',
      behind: false,
      outcome: 'value',
    })
  })

  it('of a local hit is none, nor is one of a cache that stays in this process', async () => {
    const node = world.startNode()
    await node.cache.getOrLoad('k', counting())
    await settle()
    const read = reads()
    expect(await node.cache.getOrLoad('k', never)).toBe('v1')
    expect(await node.cache.get('k')).toBe('v1')
    const near = world.startNode({ remote: false })
    await near.cache.getOrLoad('n', counting())
    await near.cache.get('other')
    expect(read).toEqual([])
  })

  it('without a loader is one too, and ends as what it found', async () => {
    const policy = { ttl: '1s', staleWhileRevalidate: '1h', local: false } as const
    const node = world.startNode(policy)
    await node.cache.set('k', 'v')
    const read = reads()
    await node.cache.get('k')
    await node.cache.get('other')
    await clock.advanceAsync(1_500)
    await node.cache.get('k')
    await node.cache.getEntry('k')
    expect(outcomes(read)).toEqual([
      ['remote', 1],
      ['miss', 1],
      ['stale', 1],
    ])
  })

  it('ends as stale when the old value is served, and the load behind it is a refresh', async () => {
    const node = world.startNode({ ttl: '1s', staleWhileRevalidate: '1h', local: false })
    await node.cache.set('k', 'v')
    await clock.advanceAsync(1_500)
    const [read, load] = [reads(), loads()]
    expect(await requests.run('r1', () => node.cache.getOrLoad('k', counting()))).toBe('v')
    await settle()
    expect(outcomes(read)).toEqual([['stale', 1]])
    expect(load.map(({ message, request }) => [message.reason, message.behind, request])).toEqual([
      ['refresh', true, 'r1'],
    ])
    expect(read[0]?.message.behind).toBe(false)
  })

  it('of a refresh is behind a caller that was served, and not behind one that asked for it', async () => {
    const node = world.startNode({ ttl: '1s', staleWhileRevalidate: '1h' })
    await node.cache.set('k', 'v')
    await clock.advanceAsync(1_500)
    const [read, load] = [reads(), loads()]
    expect(await node.cache.getOrLoad('k', counting())).toBe('v')
    await settle()
    await node.cache.refresh('k', counting())
    await settle()
    const kinds = (all: readonly Seen<ReadTrace | LoadTrace>[]) =>
      all.map(({ message }) => message.behind)
    expect([kinds(read), kinds(load)]).toEqual([
      [true, false],
      [true, false],
    ])
    expect(load.map(({ message }) => message.reason)).toEqual(['refresh', 'refresh'])
  })

  it('ends as confirmed when the store still has what this process holds', async () => {
    const node = world.startNode({ ttl: '1h' })
    await node.cache.set('k', 'v')
    const partition = partitionOf('c:k')
    world.server.dropKey({ namespace: 'traces', kind: 'log', partition })
    await clock.advanceAsync(2_000)
    const read = reads()
    expect(await node.cache.getOrLoad('k', never)).toBe('v')
    expect(outcomes(read)).toEqual([['confirmed', 1]])
  })

  it('that waits for another caller says for which, and ends with its own answer', async () => {
    const node = world.startNode()
    await node.cache.get('warm-up')
    const [read, load] = [reads(), loads()]
    const gate = deferred<string>()
    const first = requests.run('r1', () => node.cache.getOrLoad('k', () => gate.promise))
    const second = requests.run('r2', () => node.cache.getOrLoad('k', never))
    await settle()
    expect(outcomes(read)).toEqual([
      ['miss', 1],
      [undefined, 0],
    ])
    gate.resolve('v')
    expect(await Promise.all([first, second])).toEqual(['v', 'v'])
    const [own, waiting] = read
    expect([waiting?.message.joined, waiting?.request, waiting?.endedIn]).toEqual([
      true,
      'r2',
      ['r2'],
    ])
    expect(own?.message.joined).toBe(false)
    expect(waiting?.message.flight).toBe(own?.message.flight)
    expect(load[0]?.message.flights[0]).toBe(own?.message.flight)
    expect(Object.keys(own?.message.flight ?? { a: 1 })).toEqual([])
  })

  it('of a waiter ends when it stops waiting, though the load goes on', async () => {
    const node = world.startNode({ ttl: '1s', staleIfError: '1h', local: true })
    await node.cache.set('k', 'old')
    await clock.advanceAsync(1_500)
    const read = reads()
    const gate = deferred<string>()
    const first = node.cache.getOrLoad('k', () => gate.promise)
    const giveUp = new AbortController()
    const left = expect(
      node.cache.getOrLoad('k', never, { signal: giveUp.signal }),
    ).rejects.toThrow('enough')
    const late = node.cache.getOrLoad('k', never, { hardTimeout: '1s' })
    await settle()
    giveUp.abort(new Error('enough'))
    await left
    await clock.advanceAsync(1_000)
    expect(await late).toBe('old')
    const waiting = read.filter(({ message }) => message.joined)
    expect(
      waiting.map(({ message, endedIn, failed }) => [message.outcome, failed, endedIn.length]),
    ).toEqual([
      [undefined, 1, 1],
      ['stale', 0, 1],
    ])
    gate.resolve('new')
    expect(await first).toBe('new')
    await settle()
    expect(read.every(({ endedIn }) => endedIn.length === 1)).toBe(true)
  })

  it('of a refresh ends where the load begins, whatever is there', async () => {
    const node = world.startNode()
    await node.cache.set('k', 'v')
    const [read, load] = [reads(), loads()]
    expect(await node.cache.refresh('k', async () => 'new')).toBe('new')
    await settle()
    expect(outcomes(read)).toEqual([['refresh', 1]])
    expect(load.map(({ message }) => [message.reason, message.outcome])).toEqual([
      ['refresh', 'value'],
    ])
  })

  it('of a store that is away ends as a miss that says so', async () => {
    const node = world.startNode()
    await node.cache.get('warm-up')
    node.store.faults.fail({ on: 'read' })
    const read = reads()
    await node.cache.getOrLoad('k', counting())
    await settle()
    expect(read.map(({ message, endedIn }) => [message.missed, endedIn.length])).toEqual([
      ['store-away', 1],
    ])
  })
})

describe('a load', () => {
  it('is what a store that is bound to the channel surrounds: the loader sees it, the caller does not', async () => {
    const node = world.startNode()
    const spans = new AsyncLocalStorage<{ readonly cache: string }>()
    const { start } = tracingChannel<unknown, LoadTrace>('larder:load')
    start.bindStore(spans, ({ cache }) => ({ cache }))
    onTestFinished(() => void start.unbindStore(spans))
    const inLoader = await node.cache.getOrLoad('k', async () => {
      await settle()
      return spans.getStore()
    })
    expect([inLoader, spans.getStore()]).toEqual([{ cache: 'c' }, undefined])
  })

  it('is surrounded by what a subscriber sets, each inside the one before it', async () => {
    const node = world.startNode()
    const steps: string[] = []
    const subscriber = (name: string) => {
      const subscribers = {
        start: (message: LoadTrace) => {
          const { surround } = message
          message.surround = (work) => {
            steps.push(name)
            return surround === undefined ? work() : surround(work)
          }
        },
        end: () => undefined,
        asyncStart: () => undefined,
        asyncEnd: () => undefined,
        error: () => undefined,
      }
      const channel = tracingChannel<unknown, LoadTrace>('larder:load')
      channel.subscribe(subscribers)
      onTestFinished(() => void channel.unsubscribe(subscribers))
    }
    subscriber('inner')
    subscriber('outer')
    const one = await node.cache.getOrLoad('k', async () => `v${steps.push('loader')}`)
    await node.cache.getManyOrLoad(['a', 'b'], async (keys) => keys.map(() => 'v'))
    expect([one, steps]).toEqual(['v3', ['outer', 'inner', 'loader', 'outer', 'inner']])
  })

  it('ends once: rejected, thrown at once, too long, or still running when the manager closes', async () => {
    const node = world.startNode({ loadTimeout: '1s' })
    const load = loads()
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
    const endless = world.startNode()
    void endless.cache.getOrLoad('endless', () => new Promise(() => undefined)).catch(() => 0)
    await settle()
    const closing = endless.caches.close()
    await clock.advanceAsync(5_000)
    await closing
    expect(
      load.map(({ message, failed, endedIn }) => [message.keys, failed, endedIn.length]),
    ).toEqual([
      [['c:rejects'], 1, 1],
      [['c:throws'], 1, 1],
      [['c:late'], 1, 1],
      [['c:endless'], 1, 1],
    ])
    expect(load[2]?.message.error).toMatchObject({ code: 'LARDER_LOAD_TIMEOUT' })
    expect(load[3]?.message.error).toMatchObject({ code: 'LARDER_CLOSED' })
  })

  it('that its callers gave up ends with their reason', async () => {
    const node = world.startNode()
    const load = loads()
    const giveUp = new AbortController()
    const reading = node.cache.getOrLoad(
      'k',
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      { signal: giveUp.signal },
    )
    const failed = expect(reading).rejects.toThrow('enough')
    await settle()
    giveUp.abort(new Error('enough'))
    await failed
    await settle()
    expect(load.map(({ message, endedIn }) => [`${message.error}`, endedIn.length])).toEqual([
      ['Error: enough', 1],
    ])
  })

  it('of many keys is one, and ends when no key waits for it', async () => {
    const node = world.startNode({ loadTimeout: '1s' })
    const load = loads()
    await node.cache.getManyOrLoad(['a', 'b'], async (keys) => [...keys])
    await expect(
      node.cache.getManyOrLoad(['c', 'd'], () => Promise.reject(new Error('down'))),
    ).rejects.toThrow('down')
    const late = expect(
      node.cache.getManyOrLoad(['e', 'f'], () => new Promise(() => undefined)),
    ).rejects.toMatchObject({ code: 'LARDER_LOAD_TIMEOUT' })
    await clock.advanceAsync(1_000)
    await late
    await settle()
    expect(
      load.map(({ message, failed, endedIn }) => [message.keys, failed, endedIn.length]),
    ).toEqual([
      [['c:a', 'c:b'], 0, 1],
      [['c:c', 'c:d'], 1, 1],
      [['c:e', 'c:f'], 1, 1],
    ])
    expect(load[0]?.message.flights).toHaveLength(2)
  })
})

describe('an eviction', () => {
  it('ends when the store has done it, or when it waits for it', async () => {
    const node = world.startNode()
    const evictions = seen<EvictTrace>('larder:evict')
    await requests.run('r1', () => node.cache.evict('k'))
    await node.caches.evictTags(['t'])
    await node.cache.clear()
    await node.caches.deferEvictions(() => node.cache.evict('later'))
    node.store.disconnect()
    await node.cache.evict('waits')
    expect(
      evictions.map(({ message: { keys, tags, all, outcome }, endedIn }) => {
        return [keys, tags, all, outcome, endedIn.length]
      }),
    ).toEqual([
      [['c:k'], [], false, 'done', 1],
      [[], ['t'], false, 'done', 1],
      [[], [], true, 'done', 1],
      [['c:later'], [], false, 'done', 1],
      [['c:waits'], [], false, 'queued', 1],
    ])
    expect([evictions[0]?.request, evictions[0]?.endedIn]).toEqual(['r1', ['r1']])
    expect(evictions[4]?.message.error).toBeInstanceOf(Error)
  })
})

describe('locks and limits', () => {
  function startLocal() {
    const caches = createCacheManager({
      namespace: 'near',
      default: false,
      local: lruStore(),
    })
    onTestFinished(() => caches.close())
    return caches
  }

  it('say how long a lock was waited for, and how long it was held', async () => {
    const caches = startLocal()
    const locks = seen<LockTrace>('larder:lock')
    const lock = await requests.run('r1', () => caches.locks.acquire('a'))
    await expect(caches.locks.acquire('a', { wait: 0 })).rejects.toMatchObject({
      code: 'LARDER_LOCK_TIMEOUT',
    })
    expect(outcomes(locks)).toEqual([
      ['granted', 1],
      [undefined, 0],
      ['timeout', 1],
    ])
    await lock.release()
    expect(
      locks.map(({ message, request }) => [message.key, message.part, message.outcome, request]),
    ).toEqual([
      ['a', 'wait', 'granted', 'r1'],
      ['a', 'hold', 'released', 'r1'],
      ['a', 'wait', 'timeout', undefined],
    ])
    expect(locks.map(({ endedIn }) => endedIn.length)).toEqual([1, 1, 1])
    expect(locks[0]?.message.source).toBe(locks[1]?.message.source)
  })

  it('end holds that are taken back when the manager closes', async () => {
    const caches = startLocal()
    const locks = seen<LockTrace>('larder:lock')
    await caches.locks.acquire('a')
    const waiting = expect(caches.locks.acquire('a', { wait: '1h' })).rejects.toMatchObject({
      code: 'LARDER_CLOSED',
    })
    await caches.close()
    await waiting
    expect(locks.map(({ endedIn }) => endedIn.length)).toEqual([1, 1, 1])
  })

  it('say what a limiter decided', async () => {
    const caches = startLocal()
    const limits = seen<LimitTrace>('larder:limit')
    const limiter = caches.limiter({ name: 'api', limit: 1, per: '1h' })
    await requests.run('r1', () => limiter.consume('k'))
    await limiter.consume('k')
    await expect(limiter.consume('k', -1)).rejects.toMatchObject({ code: 'LARDER_INVALID_OPTION' })
    expect(
      limits.map(({ message, request, endedIn, failed }) => {
        return [message.key, message.allowed, request, endedIn.length, failed]
      }),
    ).toEqual([
      ['k', true, 'r1', 1, 0],
      ['k', false, undefined, 1, 0],
      ['k', undefined, undefined, 1, 1],
    ])
    expect(limits[0]?.message).toMatchObject({ namespace: 'near', limiter: 'api', cost: 1 })
  })
})

describe('without a subscriber', () => {
  it('nothing is made and no context is entered, whatever is done', async () => {
    const entered = vi.spyOn(OpenTrace.prototype, 'run')
    onTestFinished(() => entered.mockRestore())
    const node = world.startNode()
    const caches = createCacheManager({ namespace: 'near', default: false, local: lruStore() })
    onTestFinished(() => caches.close())
    const work = async (key: string): Promise<void> => {
      const read = () => node.cache.getOrLoad(key, counting())
      await Promise.all([read(), read()])
      await node.cache.get(`${key} absent`)
      await node.cache.refresh(key, counting())
      await node.cache.evict(key)
      await caches.locks.run(key, {}, async () => undefined)
      await caches.limiter({ name: 'api', limit: 9, per: '1h' }).consume(key)
    }
    await work('unheard')
    expect(entered).not.toHaveBeenCalled()
    const channels = ['load', 'read', 'evict', 'lock', 'limit'].map((name) =>
      seen(`larder:${name}`),
    )
    await work('heard')
    expect(channels.map(({ length }) => length > 0)).toEqual(Array(5).fill(true))
    expect(entered).toHaveBeenCalled()
  })
})

describe('a subscriber', () => {
  it('that comes late hears of nothing that had begun', async () => {
    const node = world.startNode()
    const gate = deferred<string>()
    const reading = node.cache.getOrLoad('k', () => gate.promise)
    await settle()
    const [read, load] = [reads(), loads()]
    gate.resolve('v')
    await reading
    await settle()
    expect([read, load]).toEqual([[], []])
  })

  it('that throws fails no call: Node.js throws it where nobody catches it', async () => {
    const node = world.startNode()
    const thrown: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => thrown.push(error))
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    })
    const fail = (): never => {
      throw new Error('a subscriber')
    }
    const subscribers = { start: fail, end: fail, asyncStart: fail, asyncEnd: fail, error: fail }
    const channel = tracingChannel('larder:load')
    channel.subscribe(subscribers)
    expect(await node.cache.getOrLoad('k', async () => 'v')).toBe('v')
    channel.unsubscribe(subscribers)
    await new Promise((resolve) => setImmediate(resolve))
    expect(thrown.map(String)).toEqual(Array(4).fill('Error: a subscriber'))
  })
})
