/** A claim that arrives at the store long after its sender gave up waiting for it. */

import { expect, it, onTestFinished } from 'vitest'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

it('what was loaded without knowing of a lease is not filled with the one that is granted after an eviction', async () => {
  const fleet = new Fleet()
  onTestFinished(() => fleet.close())
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.find('other'))
  await fleet.after(b.find('other'))
  fleet.isHeld = (delivery) =>
    delivery.kind === 'request' &&
    delivery.node === a.store.node &&
    ['claim', 'fill', 'release'].includes(delivery.operation)
  const reading = a.read('k', 'old')
  await fleet.clock.advanceAsync(MAX_STALENESS_MS / 2)
  await reading
  await fleet.after(b.cache.evict('k'))
  await fleet.clock.advanceAsync(10)
  fleet.isHeld = () => false
  for (const arrive of fleet.held.splice(0)) arrive()
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})
