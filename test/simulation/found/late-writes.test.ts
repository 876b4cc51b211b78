/** What arrives at the store long after its sender gave up, and what could not be said at all. */

import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

/** Long enough for what was read to be trusted when the store's deadline is over, ms. */
const LONG_MS = 60_000

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it.each(['another node', 'the same node'])(
  'a set that arrives late does not replace what %s has put since',
  async (who) => {
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    await fleet.after(a.find('other'))
    await fleet.after(b.find('other'))
    fleet.isHeld = (delivery) => delivery.kind === 'request' && delivery.operation === 'put'
    const setting = a.cache.set('k', 'first')
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    await setting
    fleet.isHeld = () => false
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    await fleet.after((who === 'another node' ? b : a).cache.set('k', 'second'))
    for (const arrive of fleet.held.splice(0)) arrive()
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    expect(await fleet.after(a.read('k', 'loaded'))).not.toBe('first')
    expect(await fleet.after(b.read('k', 'loaded'))).not.toBe('first')
  },
)

it('tags invalidated by a node that had just started stay invalid, also if the store does not answer', async () => {
  const policy = { maxStaleness: LONG_MS }
  const [a, b] = [fleet.startNode(policy), fleet.startNode(policy)]
  await fleet.after(b.read('k', 'old'))
  fleet.isHeld = (delivery) =>
    delivery.kind === 'request' &&
    delivery.node === a.store.node &&
    delivery.operation === 'bumpTags'
  const evicting = a.manager.evictTags(['t'])
  const reading = a.read('k', 'new')
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  await Promise.all([evicting, reading])
  const again = a.read('k', 'new')
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await again).toBe('new')
})
