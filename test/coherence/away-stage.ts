/** Two nodes and a store that is away for the first of them: once in memory on a manual clock, once on a Redis behind a proxy. */

import {
  type Cache,
  type CacheEvents,
  type CacheManager,
  type CacheManagerOptions,
  type CacheOptions,
  createCacheManager,
} from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'

/** What goes wrong for the first node: calls hang; the store reads and refuses to write; it cannot be reached. */
export const TROUBLES = ['hangs', 'refuses writes', 'cannot be reached'] as const

export type Trouble = (typeof TROUBLES)[number]

export interface AwayNode {
  readonly caches: CacheManager
  readonly cache: Cache<unknown>
  /** What was said of puts, in order. */
  readonly puts: readonly CacheEvents['put']['outcome'][]
}

export interface AwayStage {
  /** The one whose store is away, and one whose store is there. */
  readonly a: AwayNode
  readonly b: AwayNode
  /** From now on the store is away for the first node. */
  begin(trouble: Trouble): void
  /** The store is there again, and the first node has done what waited. */
  end(): Promise<void>
  /** Loses the reply of the next put of the first node, which is carried out. */
  loseReply(): void
  /** The store forgets everything. */
  flush(): Promise<void>
  /** Lets something end, whatever it takes of time. */
  run<Result>(work: Promise<Result>): Promise<Result>
}

type Options = Pick<Partial<CacheManagerOptions>, 'remote' | 'clock' | 'codec'>

/** A node goes on doubting for so long what it heard was in doubt, if nobody tells it that it no longer is. */
const DOUBTED_MS = 6_000
const DEADLINE = '200ms'
const WRITES = new Set(['EVALSHA', 'EVAL', 'SET', 'DEL', 'UNLINK'])

function startNode(namespace: string, policy: CacheOptions, options: Options): AwayNode {
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    default: false,
    logger: false,
    storeTimeout: DEADLINE,
    defaults: { ttl: '1h', jitter: 0, maxStaleness: '30s', ...policy },
    ...options,
  })
  const puts: CacheEvents['put']['outcome'][] = []
  caches.on('put', ({ outcome }) => puts.push(outcome))
  return { caches, cache: caches.cache('c'), puts }
}

/** True when nothing waits and the store has confirmed what the node knows. */
function isLevel({ caches }: AwayNode): boolean {
  const { recoveryQueue, coherence } = caches.status()
  return recoveryQueue.waiting === 0 && coherence.state === 'verified'
}

/** Starts both nodes in memory. */
export async function startMemoryStage(policy: CacheOptions = {}): Promise<MemoryStage> {
  const stage = new MemoryStage(policy)
  await stage.run(Promise.all([stage.a, stage.b].map(({ cache }) => cache.get('x'))))
  await stage.end()
  return stage
}

export class MemoryStage implements AwayStage {
  readonly clock = new ManualClock()
  readonly server = new MemoryServer({ clock: this.clock })
  readonly stores = [this.server.store(), this.server.store()] as const
  readonly a: AwayNode
  readonly b: AwayNode

  constructor(policy: CacheOptions = {}) {
    const [a, b] = this.stores.map((remote) =>
      startNode('away', policy, { remote, clock: this.clock, codec: structuredCodec }),
    )
    if (a === undefined || b === undefined) throw new Error('There are two stores')
    this.a = a
    this.b = b
    onTestFinished(async () => {
      this.#heal()
      await this.run(Promise.all([a.caches.close(), b.caches.close()]))
    })
  }

  begin(trouble: Trouble): void {
    const [store] = this.stores
    if (trouble === 'hangs') store.hang()
    else if (trouble === 'cannot be reached') store.disconnect()
    else store.faults.fail({ on: ['put', 'evict', 'bumpTags', 'claim', 'fill'] })
  }

  async end(): Promise<void> {
    this.#heal()
    for (let i = 0; i < 100; i++) {
      await this.clock.advanceAsync(200)
      if (!isLevel(this.a) || !isLevel(this.b)) continue
      await this.clock.advanceAsync(DOUBTED_MS)
      return
    }
    throw new Error('What waits does not end')
  }

  loseReply(): void {
    this.stores[0].faults.loseReply({ on: 'put', times: 1 })
  }

  async flush(): Promise<void> {
    this.server.flush()
  }

  async run<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false
    const end = (): void => {
      isOver = true
    }
    work.then(end, end)
    for (let i = 0; i < 1_000 && !isOver; i++) await this.clock.advanceAsync(i < 20 ? 0 : 10)
    return work
  }

  #heal(): void {
    const [store] = this.stores
    store.faults.heal()
    store.resume()
    store.reconnect()
  }
}

export async function startRedisStage(policy: CacheOptions = {}): Promise<AwayStage> {
  const server = await startRedis()
  const { url } = server
  const proxy = await startProxy(server.port)
  const namespace = 'away'
  const a = startNode(namespace, policy, { remote: redisStore({ url: proxy.url }) })
  const b = startNode(namespace, policy, { remote: redisStore({ url }) })
  let heal = async (): Promise<void> => undefined
  const bothLevel = async (): Promise<void> => {
    await eventually('both nodes are level', () => isLevel(a) && isLevel(b))
  }
  onTestFinished(async () => {
    await heal()
    await Promise.all([a.caches.close(), b.caches.close()])
    await proxy[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  await Promise.all([a.cache.get('x'), b.cache.get('x')])
  await bothLevel()
  return {
    a,
    b,
    begin: (trouble) => {
      if (trouble === 'hangs') {
        proxy.freeze()
        heal = async () => proxy.thaw()
      } else if (trouble === 'cannot be reached') {
        void proxy.refuse(true)
        proxy.cut()
        heal = () => proxy.refuse(false)
      } else {
        const match = ({ name }: { readonly name: string }): boolean => WRITES.has(name)
        const error = 'MISCONF Redis is configured to save RDB snapshots, but it is unable to'
        const end = proxy.failCommands({ match, error })
        heal = async () => end()
      }
    },
    end: async () => {
      await heal()
      heal = async () => undefined
      await bothLevel()
    },
    loseReply: () => {
      const isPut = ({ name }: { readonly name: string }): boolean => name === 'EVALSHA'
      // biome-ignore lint/suspicious/noThenProperty: what becomes of the connection, to the proxy
      proxy.dropReplies({ match: isPut, times: 1, then: 'reset' })
    },
    flush: async () => {
      await server.command('flushall')
    },
    run: (work) => work,
  }
}
