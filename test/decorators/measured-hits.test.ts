/** A manager that measures staleness serves decorated methods the same, and compares their hits. */

import { Cacheable, CacheConfig } from '@larder/core'
import { ManualClock, MemoryServer } from '@larder/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { closeNodes, memoryNode } from '../support/memory-node.ts'

@CacheConfig({ cache: 'parts', ttl: '1h' })
class Parts {
  loads = 0

  @Cacheable()
  async find(id: string): Promise<string> {
    this.loads += 1
    return `part ${id}`
  }

  @Cacheable({ key: 'by-{0}', scope: () => 'tenant' })
  async scoped(id: string): Promise<string> {
    this.loads += 1
    return `scoped ${id}`
  }
}

it.each(['find', 'scoped'] as const)(
  '%s: every hit is served, counted and compared',
  async (method) => {
    const clock = new ManualClock()
    const world = { namespace: 'measured', clock, server: new MemoryServer({ clock }) }
    const { caches } = memoryNode(world, { measureStaleness: { every: 1 } })
    onTestFinished(() => closeNodes(clock, [caches]))
    const parts = caches.bind(new Parts())
    const first = await parts[method]('1')
    await clock.advanceAsync(100)
    for (let n = 1; n <= 5; n++) {
      expect(await parts[method]('1')).toBe(first)
      await clock.advanceAsync(0)
      const { localHits, staleness } = caches.stats()
      expect({ localHits, ...staleness }).toMatchObject({ localHits: n, compared: n, current: n })
    }
    expect(parts.loads).toBe(1)
  },
)
