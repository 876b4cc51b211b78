/** Staging and production on one server: the same namespace in two databases. */

import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode, untilVerified } from '../support/nodes.ts'
import { startRedis } from '../support/redis/redis-server.ts'

/** A node in one of the databases, and how often it was told of which key. */
async function startIn(database: number, namespace: string, url: string) {
  const node = startNode({ namespace, url: `${url}/${database}` })
  const told: string[] = []
  node.caches.on('invalidate', ({ keys }) => told.push(...keys))
  await untilVerified(node)
  const evict = async (key: string): Promise<void> => {
    await node.caches.cache('c').evict(key)
    // Once by the reply, once by the message: whatever the other database published before has been delivered then.
    await eventually('it hears itself', () => told.filter((of) => of === `c:${key}`).length === 2)
  }
  return { node, told, evict }
}

it('two applications of one name in two databases leave each other in peace', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const namespace = freshNamespace()
  const production = await startIn(0, namespace, server.url)
  const staging = await startIn(1, namespace, server.url)
  for (let turn = 0; turn < 3; turn++) {
    await production.evict(`p${turn}`)
    await staging.evict(`s${turn}`)
  }
  await production.evict('last')
  expect(production.told.filter((key) => key.startsWith('c:s'))).toEqual([])
  expect(staging.told.filter((key) => key.startsWith('c:p'))).toEqual([])
  expect([...production.node.seen('bus-gap'), ...staging.node.seen('bus-gap')]).toEqual([])
})
