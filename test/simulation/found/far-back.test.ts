/** A store that goes back further than nodes repeat what they evicted. */

import { expect, it, onTestFinished } from 'vitest'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

const LONG_AGO_MS = 61_000

it.each(['evict', 'evictTags'] as const)(
  'what was evicted by %s more than a minute before a snapshot came back stays evicted, for whoever reads it',
  async (how) => {
    const fleet = new Fleet()
    onTestFinished(() => fleet.close())
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    await fleet.after(a.read('k', 'old'))
    await fleet.after(b.find('other'))
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    const saved = fleet.server.snapshot()
    await fleet.after(how === 'evict' ? a.cache.evict('k') : a.manager.evictTags(['t']))
    await fleet.clock.advanceAsync(LONG_AGO_MS)
    fleet.server.restore(saved)
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    const late = fleet.startNode()
    for (const node of [a, b, late]) {
      expect(await fleet.after(node.read('k', 'new'))).toBe('new')
    }
  },
)
