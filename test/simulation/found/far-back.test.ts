/** A store that goes back further than nodes repeat what they evicted. */

import { expect, it, onTestFinished } from 'vitest'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

const LONG_AGO_MS = 61_000
const SET_BACK_MS = 600_000

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

it.each(['hears of that', 'does not hear of that', 'asks a store whose clock was set back'])(
  'that a partition was invalidated once does not count for what is evicted of it later, by a node that %s',
  async (what) => {
    const fleet = new Fleet()
    onTestFinished(() => fleet.close())
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    await fleet.after(a.find('k'))
    await fleet.after(b.find('k'))
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    const first = fleet.server.snapshot()
    await fleet.after(b.cache.evict('k'))
    // From now on a learns from messages only.
    const sync = fleet.tamperWithSync(a.store, (reply) => ({
      ...reply,
      heads: reply.heads.map(() => undefined),
      tags: undefined,
    }))
    const isDeaf = what === 'does not hear of that'
    fleet.isHeld = (each) => isDeaf && each.kind === 'message' && each.node === a.store.node
    await fleet.clock.advanceAsync(LONG_AGO_MS)
    fleet.server.restore(first)
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    if (what === 'asks a store whose clock was set back') fleet.server.shiftTime(-SET_BACK_MS)
    await fleet.after(b.read('k', 'old'))
    const saved = fleet.server.snapshot()
    await fleet.after(a.cache.evict('k'))
    await b.manager.close()
    await fleet.clock.advanceAsync(LONG_AGO_MS)
    fleet.server.restore(saved)
    sync.mockRestore()
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    const late = fleet.startNode()
    expect(await fleet.after(late.read('k', 'new'))).toBe('new')
  },
)
