/** What a refresh meets: reads that began before it and end after it, answers that cannot be read, refreshes of other nodes. */

import { beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { MemoryWorld } from './memory-world.ts'

/** Longer than any call of the store may take, ms. */
const OVERDUE_MS = 600

let world: MemoryWorld

beforeEach(() => {
  world = new MemoryWorld('refresh-races', { ttl: '1h', maxStaleness: '1m' })
})

const settle = (): Promise<void> => world.clock.advanceAsync(0)

describe.each([
  ['both tiers', {}],
  ['kept out of the shared tier', { remote: false }],
] as const)('%s', (_, policy) => {
  const startNode = async () => {
    const node = world.startNode(policy)
    await node.cache.evict('other')
    await settle()
    return node
  }

  it.each(['answers', 'is away', 'is away from then on'])(
    'a load that began before a refresh does not replace its result, where the store %s',
    async (store) => {
      const node = await startNode()
      const { cache } = node
      if (store === 'is away') node.store.faults.fail({})
      const gate = deferred<string>()
      const reading = cache.getOrLoad('k', () => gate.promise)
      await settle()
      if (store === 'is away from then on') node.store.faults.fail({})
      const refreshing = cache.refresh('k', async () => 'new')
      await world.clock.advanceAsync(OVERDUE_MS)
      gate.resolve('old')
      await world.clock.advanceAsync(OVERDUE_MS)
      expect(await Promise.all([reading, refreshing])).toEqual(['old', 'new'])
      expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
    },
  )
})

it('an entry that was there before is no answer, also where the first look at it could not be read', async () => {
  const [a, b] = [world.startNode({ local: false }), world.startNode()]
  await b.cache.getOrLoad('k', async () => 'old')
  await a.cache.get('other')
  await settle()
  a.store.faults.corrupt(() => Buffer.from('garbage'), { on: 'read', times: 1 })
  expect(await a.cache.refresh('k', async () => 'new')).toBe('new')
  expect(await a.cache.get('k')).toBe('new')
})

it('of two nodes that refresh what stays with them, nobody keeps what was loaded before the later one asked', async () => {
  const [a, b] = [1, 2].map(() => world.startNode({ remote: false }))
  if (a === undefined || b === undefined) throw new Error('Two nodes were started')
  for (const { cache } of [a, b]) await cache.evict('other')
  const [early, late] = [deferred<string>(), deferred<string>()]
  const first = b.cache.refresh('k', () => early.promise)
  await settle()
  const second = a.cache.refresh('k', () => late.promise)
  await settle()
  early.resolve('old')
  await settle()
  late.resolve('new')
  await settle()
  expect(await Promise.all([first, second])).toEqual(['old', 'new'])
  for (const { cache } of [a, b]) expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
})
