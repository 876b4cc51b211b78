/** Two nodes of one namespace: once over a server in memory, once over Redis. Both with switches for faults. */

import type { Cache, CacheManager, CacheOptions } from '@larder/core'
import type { RemoteStore } from '@larder/core/store'
import {
  faultyRemoteStore,
  MemoryServer,
  type RemoteFaults,
  structuredCodec,
} from '@larder/core/testing'
import { redisStore } from '@larder/redis-store'
import { inject } from 'vitest'
import { freshNamespace, startNode, type TestNode, untilVerified } from '../support/nodes.ts'

export interface UpdateNode {
  readonly caches: CacheManager
  readonly faults: RemoteFaults
  cache<Value>(policy?: CacheOptions): Cache<Value>
}

export type StartNodes = () => Promise<readonly [UpdateNode, UpdateNode]>

export const STAGES: Readonly<Record<string, StartNodes>> = {
  'in memory': () => {
    const server = new MemoryServer()
    return start(() => server.store())
  },
  'on Redis': () => start(() => redisStore({ url: inject('redisUrl') })),
}

async function start(makeStore: () => RemoteStore): Promise<readonly [UpdateNode, UpdateNode]> {
  const namespace = freshNamespace()
  const make = (): UpdateNode & { readonly node: TestNode } => {
    const remote = faultyRemoteStore(makeStore())
    const node = startNode({ namespace, remote, codec: structuredCodec })
    const { caches } = node
    return {
      node,
      caches,
      faults: remote.faults,
      cache: <Value>(policy: CacheOptions = {}) => caches.cache<Value>('c', policy),
    }
  }
  const nodes = [make(), make()] as const
  await Promise.all(nodes.map(({ node }) => untilVerified(node)))
  return nodes
}
