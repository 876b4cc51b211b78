/** A server whose clock is set back. */

import { expect, it, onTestFinished } from 'vitest'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

it('an eviction is repeated after a failover, also if the clock was set back between entry and eviction', async () => {
  const fleet = new Fleet()
  onTestFinished(() => fleet.close())
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.after(b.find('other'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  fleet.server.shiftTime(-600_000)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.evict('k'))
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})
