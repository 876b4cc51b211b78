/**
 * A machine that slept: its monotonic clock stood still, so everything looks as fresh as it was before. What it holds is not
 * served on the strength of that.
 */

import { describe, expect, it } from 'vitest'
import { counting, MemoryWorld, never } from './memory-world.ts'

const HOUR_MS = 3_600_000
const MAX_STALENESS_MS = 60_000
/** The longest time to the first look after waking. */
const FIRST_LOOK_MS = MAX_STALENESS_MS / 2.5

function start(policy = {}) {
  const world = new MemoryWorld('slept', {
    ttl: '1h',
    maxStaleness: MAX_STALENESS_MS,
    ...policy,
  })
  const node = world.startNode()
  const other = world.startNode()
  /** Time passes for the store and its clock, and not for the nodes. */
  const sleep = (ms: number): void => {
    world.clock.sleep(ms)
    world.server.shiftTime(ms)
  }
  return { world, node, other, sleep }
}

describe('a machine that slept', () => {
  it.each([
    ['confirmed by syncs', FIRST_LOOK_MS * 3],
    ['just loaded', 0],
  ])('does not serve what was %s, while the store cannot be asked', async (_, beforeMs) => {
    const { world, node, other, sleep } = start()
    const load = counting()
    await node.cache.getOrLoad('k', load)
    await world.clock.advanceAsync(beforeMs)
    node.store.disconnect({ silently: true })
    await other.cache.evict('k')
    sleep(HOUR_MS / 2)
    // The network is not back yet.
    await world.clock.advanceAsync(FIRST_LOOK_MS)
    const reading = node.cache.getOrLoad('k', load)
    await world.clock.advanceAsync(1_000)
    expect(await reading).toBe('v2')
  })

  it('keeps what still stands, without loading it', async () => {
    const { world, node, other, sleep } = start()
    await node.cache.getOrLoad('k', counting())
    await other.cache.set('j', 'theirs')
    sleep(HOUR_MS / 2)
    await world.clock.advanceAsync(FIRST_LOOK_MS)
    const reads = node.store.faults.calls()
    expect(await node.cache.getOrLoad('k', never)).toBe('v1')
    expect(await node.cache.getOrLoad('k', never)).toBe('v1')
    expect(node.store.faults.calls() - reads).toBe(1)
  })

  it('does not serve what has expired meanwhile', async () => {
    const { world, node, sleep } = start()
    const load = counting()
    await node.cache.getOrLoad('k', load)
    sleep(2 * HOUR_MS)
    await world.clock.advanceAsync(FIRST_LOOK_MS)
    expect(await node.cache.getOrLoad('k', load)).toBe('v2')
  })

  it('knows that what it holds is stale by now, and renews it', async () => {
    const { world, node, sleep } = start({ staleWhileRevalidate: '10h' })
    const load = counting()
    await node.cache.getOrLoad('k', load)
    sleep(2 * HOUR_MS)
    await world.clock.advanceAsync(FIRST_LOOK_MS)
    expect(await node.cache.getOrLoad('k', load)).toBe('v1')
    await world.clock.advanceAsync(0)
    expect(await node.cache.getOrLoad('k', never)).toBe('v2')
  })

  it('loads nothing anew for a clock that is set back', async () => {
    const { world, node } = start()
    await node.cache.getOrLoad('k', counting())
    world.clock.sleep(-HOUR_MS)
    await world.clock.advanceAsync(FIRST_LOOK_MS)
    const calls = node.store.faults.calls()
    expect(await node.cache.getOrLoad('k', never)).toBe('v1')
    expect(node.store.faults.calls()).toBe(calls)
  })
})
