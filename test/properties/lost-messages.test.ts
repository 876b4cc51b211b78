/**
 * Over every store that has a bus: whatever happens to messages, what was put last and evicted by nobody is there, what was
 * evicted is not, and all nodes come to agree.
 */

import { PGlite } from '@electric-sql/pglite'
import type { RemoteStore } from '@larder/core/store'
import { type BusFaults, faultyBus, faultyRemoteStore, MemoryServer } from '@larder/core/testing'
import { redisStore } from '@larder/redis-store'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { postgresStore } from '../../examples/custom-store/postgres-store.ts'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode, type TestNode, untilVerified } from '../support/nodes.ts'

const KEYS = 40
const POLICY = { ttl: '1h', maxStaleness: '300ms' } as const

let postgres: PGlite
beforeAll(async () => {
  postgres = await PGlite.create()
})
afterAll(() => postgres.close())

/** Each makes what the nodes share, and returns what makes one node's store. */
const STORES: Readonly<Record<string, () => () => RemoteStore>> = {
  'the store in memory': () => {
    const server = new MemoryServer()
    return () => server.store()
  },
  Redis: () => () => redisStore({ url: inject('redisUrl') }),
  'the PostgreSQL store of the examples': () => () => postgresStore(postgres),
}

/** What happens to the messages of one node while the other one writes; and how it ends. */
const FAULTS: Readonly<Record<string, (faults: BusFaults) => void>> = {
  'all are lost': (faults) => faults.drop(),
  'one is lost': (faults) => faults.drop({ times: 1 }),
  'every one comes twice': (faults) => faults.duplicate(),
  'all come late, in the wrong order': (faults) => faults.hold(),
  'they cannot be read': (faults) => faults.garble({ times: 3 }),
}

describe.each(Object.entries(STORES))('%s', (_, makeStores) => {
  it.each(Object.entries(FAULTS))('%s', async (_, strike) => {
    const makeStore = makeStores()
    const namespace = freshNamespace()
    const [a, b] = [0, 1].map(() => startFaultyNode(makeStore(), namespace)) as [Faulty, Faulty]
    await Promise.all([untilVerified(a.node), untilVerified(b.node)])
    const [onA, onB] = [a, b].map(({ node }) => node.caches.cache<string>('c')) as Caches
    const names = Array.from({ length: KEYS }, (_, n) => `k${n}`)
    for (const key of names) await onB.getOrLoad(key, () => 'old')

    strike(b.bus)
    for (const key of names) {
      if (isPut(key)) await onA.set(key, 'put')
      else await onA.evict(key)
    }
    b.bus.release('reversed')
    b.bus.heal()
    await syncs(a, b)

    for (const cache of [onA, onB]) {
      expect(await cache.getMany(names)).toEqual(
        names.map((key) => (isPut(key) ? 'put' : undefined)),
      )
    }
  })
})

type Caches = [ReturnType<TestNode['caches']['cache']>, ReturnType<TestNode['caches']['cache']>]
interface Faulty {
  readonly node: TestNode
  readonly bus: BusFaults
  readonly syncs: () => number
}

function isPut(key: string): boolean {
  return Number(key.slice(1)) % 4 !== 0
}

function startFaultyNode(store: RemoteStore, namespace: string): Faulty {
  if (store.bus === undefined) throw new Error('A store without a bus')
  const bus = faultyBus(store.bus)
  const remote = faultyRemoteStore(store, { bus })
  const node = startNode({ remote, namespace, policy: POLICY })
  return { node, bus: bus.faults, syncs: () => remote.faults.calls('sync') }
}

/** Waits until each node has asked the store for news a few times more: then it knows all there is, and has acted upon it. */
async function syncs(...nodes: readonly Faulty[]): Promise<void> {
  const enough = nodes.map((each) => each.syncs() + 4)
  await eventually('the nodes ask for news', () =>
    nodes.every((each, i) => each.syncs() >= (enough[i] ?? 0)),
  )
}
