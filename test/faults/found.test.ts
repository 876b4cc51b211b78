/** What the histories found, each in the shortest way to see it. */

import { faultyRemoteStore } from '@larder/core/testing'
import { redisStore } from '@larder/redis-store'
import { expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startNode, untilVerified } from '../support/nodes.ts'

it.each(['queue', 'throw'] as const)(
  'a put that fails (%s) leaves nothing here that was read while it was under way',
  async (onRemoteFailure) => {
    const remote = faultyRemoteStore(redisStore({ url: inject('redisUrl') }))
    const node = startNode({
      remote,
      policy: { maxStaleness: '1m', onRemoteFailure },
      storeTimeout: '250ms',
    })
    await untilVerified(node)
    const cache = node.caches.cache<string>('items')
    await cache.set('k', 'old')

    // As with a slot on its way to another master: its keys can be read one by one, and no script may take two of them.
    remote.faults.hang({ on: 'put' })
    const putting = cache.set('k', 'new')
    await eventually('the put is under way', () => remote.faults.calls('put') === 2)
    expect(await cache.get('k')).toBe('old')
    await putting.catch(() => undefined)

    expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
    remote.faults.heal()
  },
)
