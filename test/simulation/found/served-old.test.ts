/** Who joins a load that has answered with an old value already: that value is judged, and not what the load stands on. */

import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../../support/eventually.ts'
import { Fleet } from './fleet.ts'

/** The value is always read from the store, and a load is never the first to answer. */
const POLICY = { local: false, ttl: '1s', staleWhileRevalidate: '10s' } as const

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it.each(['hard', 'soft'] as const)(
  'an old value is not joined once a tag of its own was evicted, though the new one has other tags (%s)',
  async (how) => {
    const node = fleet.startNode(POLICY)
    await fleet.after(node.read('other', 'value'))
    expect(await fleet.after(readTagged(node, async () => 'old'))).toBe('old')
    await fleet.clock.advanceAsync(1_500)
    hold('fill')
    expect(await fleet.after(readTagged(node, async () => 'new'))).toBe('old')
    await fleet.after(node.manager.evictTags(['of old'], { soft: how === 'soft' }))
    const reading = readTagged(node, async () => 'newer')
    await fleet.clock.advanceAsync(0)
    letGo()
    expect(await fleet.after(reading)).not.toBe('old')
  },
)

it.each(['hard', 'soft'] as const)(
  'an old value is not joined once its tag was evicted, though its load begins after that (%s)',
  async (how) => {
    const node = fleet.startNode(POLICY)
    await fleet.after(node.read('other', 'value'))
    expect(await fleet.after(readTagged(node, async () => 'old'))).toBe('old')
    await fleet.clock.advanceAsync(1_500)
    hold('claim')
    const slow = deferred<string>()
    expect(await fleet.after(readTagged(node, () => slow.promise))).toBe('old')
    await fleet.after(node.manager.evictTags(['of old'], { soft: how === 'soft' }))
    letGo()
    await fleet.clock.advanceAsync(0)
    const reading = readTagged(node, async () => 'newer')
    await fleet.clock.advanceAsync(0)
    slow.resolve('new')
    expect(await fleet.after(reading)).not.toBe('old')
  },
)

function readTagged(
  { method }: ReturnType<Fleet['startNode']>,
  load: () => Promise<string>,
): Promise<unknown> {
  const tagsOf = (value: unknown): readonly string[] => [`of ${String(value)}`]
  return method.getOrLoad('k', { load }, { mode: 'normal', tags: [], tagsOf })
}

/** Replies to it wait, and the clock does not stand still for that. */
function hold(operation: 'claim' | 'fill'): void {
  fleet.isHeld = (each) => each.kind === 'reply' && each.operation === operation
}

function letGo(): void {
  fleet.isHeld = () => false
  for (const arrive of fleet.held) arrive()
}
