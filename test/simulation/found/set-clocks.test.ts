/** A server whose clock is set back. */

import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { Fleet, keysOfOnePartition, MAX_STALENESS_MS } from './fleet.ts'

const SET_BACK_MS = 600_000

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it('an eviction is repeated after a failover, also if the clock was set back between entry and eviction', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.after(b.find('other'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  fleet.server.shiftTime(-SET_BACK_MS)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.evict('k'))
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('an eviction is heard of, also if its number is minted after a failover that lost one, by a clock that is behind', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  const [first, second] = keysOfOnePartition()
  await fleet.after(a.find(first))
  await fleet.after(b.find(first))
  await fleet.after(a.cache.evict(first))
  fleet.server.shiftTime(-SET_BACK_MS)
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.evict(first))
  await fleet.after(b.read(second, 'old'))
  fleet.server.restore(replica)
  await fleet.after(a.cache.evict(second))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read(second, 'new'))).toBe('new')
})
