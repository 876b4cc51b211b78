/** What a node evicted itself does not come back to it, whatever its store forgot. */

import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it.each([false, true])(
  'a node does not read back what it evicted, when a failover lost the eviction (soft: %s)',
  async (soft) => {
    const [a] = [fleet.startNode(), fleet.startNode()]
    await fleet.after(a.read('k', 'old'))
    await fleet.clock.advanceAsync(10)
    const replica = fleet.server.snapshot()
    await fleet.after(a.cache.evict('k', { soft }))
    fleet.server.restore(replica)
    // Before any sync could notice.
    expect(await fleet.after(a.read('k', 'new'))).toBe('new')
    expect(await fleet.after(a.find('k'))).toBe('new')
  },
)

it('a node does not read back what it replaced, when a failover lost the put', async () => {
  const a = fleet.startNode({ local: false })
  await fleet.after(a.read('k', 'old'))
  await fleet.clock.advanceAsync(10)
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.set('k', 'put'))
  fleet.server.restore(replica)
  expect(await fleet.after(a.read('k', 'new'))).not.toBe('old')
})

it('what another node put after an eviction is read back after a failover', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.clock.advanceAsync(10)
  await fleet.after(a.cache.evict('k'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  await fleet.after(b.cache.set('k', 'newer'))
  expect(await fleet.after(a.find('k'))).toBe('newer')
})
