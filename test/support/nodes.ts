/** Nodes for tests: cache managers over one Redis, each as if in a process of its own. */

import {
  type CacheEventName,
  type CacheEvents,
  type CacheManager,
  type CacheManagerOptions,
  type CacheOptions,
  createCacheManager,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { inject, onTestFinished } from 'vitest'
import { eventually } from './eventually.ts'
import { freshNamespace } from './fresh-namespace.ts'

export { freshNamespace }

export interface TestNode {
  readonly caches: CacheManager
  /** Events so far by name. */
  seen<Name extends CacheEventName>(name: Name): CacheEvents[Name][]
}

const RECORDED: readonly CacheEventName[] = [
  'store-error',
  'bus-gap',
  'bus',
  'coherence',
  'breaker',
  'undecodable',
  'too-large',
  'discard',
  'recovery-queue',
  'background-error',
  'stale',
]

/** Starts a node that is closed when the test ends. */
export function startNode(
  options: Partial<CacheManagerOptions> & {
    readonly url?: string
    readonly policy?: CacheOptions
  } = {},
): TestNode {
  const { url = inject('redisUrl'), policy, ...rest } = options
  const caches = createCacheManager({
    namespace: freshNamespace(),
    local: lruStore(),
    remote: redisStore({ url }),
    default: false,
    // Outages are what many tests are about, and their events are looked at.
    logger: false,
    defaults: { ttl: '1h', jitter: 0, ...policy },
    // Room for a noisy machine: what a deadline does has tests of its own.
    storeTimeout: '2s',
    ...rest,
  })
  const events = new Map<CacheEventName, unknown[]>()
  for (const name of RECORDED) {
    const list: unknown[] = []
    events.set(name, list)
    caches.on(name, (event) => list.push(event))
  }
  onTestFinished(() => caches.close())
  return {
    caches,
    seen: <Name extends CacheEventName>(name: Name) =>
      (events.get(name) ?? []) as CacheEvents[Name][],
  }
}

/** Starts two nodes of one namespace and waits until both hear each other. */
export async function startPair(
  options: Parameters<typeof startNode>[0] = {},
): Promise<readonly [TestNode, TestNode]> {
  const namespace = options.namespace ?? freshNamespace()
  const nodes = [
    startNode({ ...options, namespace }),
    startNode({ ...options, namespace }),
  ] as const
  await Promise.all(nodes.map(untilVerified))
  return nodes
}

/** Waits until a node's subscription stands and its partitions are confirmed. */
export async function untilVerified(node: TestNode): Promise<void> {
  await node.caches.cache('warm-up').get('x')
  await eventually('the node is verified', () => {
    const isUp = node.seen('bus').at(-1)?.state === 'up'
    return isUp && node.seen('coherence').at(-1)?.state === 'verified'
  })
}
