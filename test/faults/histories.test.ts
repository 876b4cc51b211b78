/**
 * Two nodes under traffic while their Redis misbehaves; the history of all reads is judged afterwards.
 *
 * Whatever happens: nothing stale on the node that evicted, nothing stale at rest, no error, no call that hangs. On the
 * other node a value may be as old as `maxStaleness` says, with room for a noisy machine. The figures are printed.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { expect, it, onTestFinished } from 'vitest'
import { EvictionHistory } from '../support/history/eviction-history.ts'
import { EvictionTraffic, type TrafficNode } from '../support/history/eviction-traffic.ts'
import { startProxy, type TcpProxy } from '../support/proxy/tcp-proxy.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'

const ROUNDS = Number(process.env['LARDER_FAULT_ROUNDS'] ?? 1)
const MAX_STALENESS_MS = 1_000
const ROOM_MS = 1_500
const SLOWEST_MS = 5_000
const LOAD_MS = 3
const NS_PER_MS = 1e6

interface Stage {
  readonly server: RedisServer
  readonly proxy: TcpProxy
}

interface Fault {
  readonly name: string
  readonly args?: readonly string[]
  /** Runs before the nodes are made. */
  before?(stage: Stage): Promise<void>
  /** Runs under traffic; what it broke must be whole again when it ends. */
  during(stage: Stage): Promise<void>
}

const isCommand = ({ name }: { readonly name: string }): boolean =>
  !/SUBSCRIBE|HELLO|PING/.test(name)

const FAULTS: readonly Fault[] = [
  { name: 'nothing', during: () => delay(1_000) },
  {
    name: 'connections that are cut, again and again',
    async during({ proxy }) {
      for (let n = 0; n < 5; n++) {
        await delay(250)
        proxy.cut()
      }
      await delay(250)
    },
  },
  {
    name: 'pub/sub messages that get lost',
    async during({ proxy }) {
      proxy.dropMessages()
      await delay(1_500)
      await proxy.heal()
    },
  },
  {
    name: 'replies that get lost',
    async during({ proxy }) {
      const end = proxy.dropReplies({ match: isCommand, times: 5 })
      await delay(1_500)
      end()
      await proxy.heal()
    },
  },
  {
    name: 'a slow server',
    async during({ proxy }) {
      proxy.delay(120)
      await delay(1_500)
      await proxy.heal()
    },
  },
  {
    name: 'a server that hangs (SIGSTOP)',
    async during({ server }) {
      await delay(300)
      await server.pause()
      await delay(1_200)
      await server.resume()
      await delay(300)
    },
  },
  {
    name: 'a server that is killed, and comes back empty',
    async during({ server }) {
      await delay(300)
      await server.kill()
      await delay(600)
      await server.start()
      await delay(300)
    },
  },
  {
    name: 'a server that refuses connections at the start',
    before: ({ proxy }) => proxy.refuse(true),
    async during({ proxy }) {
      await delay(800)
      await proxy.refuse(false)
      await delay(800)
    },
  },
  {
    name: 'FLUSHALL, several times',
    async during({ server }) {
      for (let n = 0; n < 5; n++) {
        await delay(200)
        await server.command('FLUSHALL')
      }
    },
  },
  {
    name: 'SCRIPT FLUSH, several times',
    async during({ server }) {
      for (let n = 0; n < 5; n++) {
        await delay(200)
        await server.command('SCRIPT', 'FLUSH')
      }
    },
  },
  {
    name: 'a server that is full and drops keys (allkeys-lru)',
    async during({ server }) {
      await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
      await server.command('CONFIG', 'SET', 'maxmemory', '1')
      await delay(1_200)
      await server.command('CONFIG', 'SET', 'maxmemory', '0')
    },
  },
  {
    name: 'a server that is full and refuses writes (OOM)',
    async during({ server }) {
      await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
      await server.command('CONFIG', 'SET', 'maxmemory', '1')
      await delay(1_200)
      await server.command('CONFIG', 'SET', 'maxmemory', '0')
    },
  },
  ...[
    'LOADING Redis is loading the dataset in memory',
    "READONLY You can't write against a read only replica.",
    'NOPERM this user has no permissions to run this command',
  ].map((error) => ({
    name: `a server that answers ${error.split(' ')[0]}`,
    async during({ proxy }: Stage) {
      proxy.failCommands({ match: isCommand, error })
      await delay(1_200)
      await proxy.heal()
    },
  })),
]

for (let round = 1; round <= ROUNDS; round++) {
  it.each(FAULTS)(
    `$name (round ${round})`,
    async ({ name, args, before, during }) => {
      const server = await startRedis(args === undefined ? {} : { args })
      onTestFinished(() => server.stop())
      const proxy = await startProxy(server)
      onTestFinished(() => proxy[Symbol.asyncDispose]())
      const stage = { server, proxy }
      await before?.(stage)
      const history = new EvictionHistory()
      const nodes = [startNode(proxy.url, history), startNode(proxy.url, history)]
      const traffic = new EvictionTraffic(nodes, history)
      const loop = monitorEventLoopDelay()
      loop.enable()
      traffic.start()
      await during(stage)
      await delay(300)
      await traffic.stop()
      // What is healed has to be noticed: one sync of both nodes.
      await delay(2 * MAX_STALENESS_MS)
      await traffic.readAtRest()
      const verdict = history.verdict(traffic.keys)
      process.stdout.write(`${name}: ${JSON.stringify(verdict)}\n`)
      const { staleOwn, staleAtRest, errors, hung, oldestMs, slowestMs } = verdict
      expect({ staleOwn, staleAtRest, errors, hung }).toEqual({
        staleOwn: 0,
        staleAtRest: 0,
        errors: 0,
        hung: 0,
      })
      // Nodes, proxy and clients are one process: how long it stood still on a busy machine is nobody's fault.
      const stoodStillMs = loop.max / NS_PER_MS
      expect(oldestMs).toBeLessThan(MAX_STALENESS_MS + ROOM_MS + stoodStillMs)
      expect(slowestMs).toBeLessThan(SLOWEST_MS + stoodStillMs)
    },
    60_000,
  )
}

function startNode(url: string, history: EvictionHistory): TrafficNode {
  const caches: CacheManager = createCacheManager({
    namespace: 'faults',
    local: lruStore(),
    remote: redisStore({ url }),
    default: false,
    defaults: { ttl: '1h', jitter: 0, maxStaleness: MAX_STALENESS_MS },
  })
  onTestFinished(() => caches.close())
  const cache = caches.cache<number>('items')
  const load = async (key: string): Promise<number> => {
    const version = history.load(key)
    await delay(LOAD_MS)
    return version
  }
  return {
    read: (key) => cache.getOrLoad(key, () => load(key)),
    evict: (key) => cache.evict(key),
  }
}
