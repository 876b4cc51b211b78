/**
 * Reads that began before an invalidation and load after it: what they load is as good as what anybody loads then. Each as the
 * shortest history that shows it.
 */

import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../../support/eventually.ts'
import { Fleet } from './fleet.ts'

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

const INVALIDATIONS = ['evictTags', 'evictTags, softly', 'clear', 'clear, softly'] as const

it.each(INVALIDATIONS)(
  'what a caller loads after it waited is used by others (%s)',
  async (how) => {
    const [a, b, c] = [fleet.startNode(), fleet.startNode(), fleet.startNode()]
    for (const node of [a, b, c]) await fleet.after(node.find('other'))
    const slow = deferred<string>()
    const loading = a.readBy('k', () => slow.promise)
    await fleet.clock.advanceAsync(0)
    const waiting = b.read('k', 'new')
    await fleet.clock.advanceAsync(0)
    await invalidate(how, a)
    slow.resolve('old')
    expect(await fleet.after(waiting)).toBe('new')
    expect(await fleet.after(loading)).toBe('old')
    const load = vi.fn(async () => 'loaded again')
    for (const node of [a, b, c]) expect(await fleet.after(node.readBy('k', load))).toBe('new')
    expect(load).not.toHaveBeenCalled()
  },
)

it.each(INVALIDATIONS)('callers who waited on several nodes load once (%s)', async (how) => {
  const nodes = [1, 2, 3, 4, 5, 6, 7, 8].map(() => fleet.startNode())
  for (const node of nodes) await fleet.after(node.find('other'))
  const [a] = nodes
  if (a === undefined) return
  const slow = deferred<string>()
  const loading = a.readBy('k', () => slow.promise)
  await fleet.clock.advanceAsync(0)
  const load = vi.fn(async () => 'new')
  const waiting = nodes.slice(1).map((node) => node.readBy('k', load))
  await fleet.clock.advanceAsync(0)
  await invalidate(how, a)
  slow.resolve('old')
  const answers = await fleet.after(Promise.all(waiting))
  expect(new Set(answers)).toEqual(new Set(['new']))
  await fleet.after(loading)
  expect(load).toHaveBeenCalledTimes(1)
})

it.each(INVALIDATIONS)(
  'a batch that waited for its last key stands on what was known then (%s)',
  async (how) => {
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    for (const node of [a, b]) await fleet.after(node.find('other'))
    fleet.isHeld = ({ node, ...each }) =>
      node === b.store.node && each.kind === 'reply' && each.operation === 'claim'
    const load = vi.fn(async (keys: readonly unknown[]) => keys.map(() => 'new'))
    const reading = b.cache.getManyOrLoad(['k', 'l'], load, { tags: ['t'] })
    await fleet.clock.advanceAsync(0)
    const [first, ...others] = fleet.held
    first?.()
    await fleet.clock.advanceAsync(0)
    await invalidate(how, a)
    for (const arrive of others) arrive()
    fleet.isHeld = () => false
    expect(await fleet.after(reading)).toEqual(['new', 'new'])
    const again = vi.fn(async () => 'loaded again')
    for (const node of [a, b]) {
      for (const key of ['k', 'l']) expect(await fleet.after(node.readBy(key, again))).toBe('new')
    }
    expect(again).not.toHaveBeenCalled()
    expect(load).toHaveBeenCalledTimes(1)
  },
)

it.each(INVALIDATIONS)(
  'what is loaded after a claim whose reply came late is used (%s)',
  async (how) => {
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    for (const node of [a, b]) await fleet.after(node.find('other'))
    fleet.isHeld = ({ node, ...each }) =>
      node === b.store.node && each.kind === 'reply' && each.operation === 'claim'
    const reading = b.read('k', 'new')
    await fleet.clock.advanceAsync(0)
    await invalidate(how, a)
    fleet.isHeld = () => false
    for (const arrive of fleet.held) arrive()
    expect(await fleet.after(reading)).toBe('new')
    const again = vi.fn(async () => 'loaded again')
    for (const node of [a, b]) expect(await fleet.after(node.readBy('k', again))).toBe('new')
    expect(again).not.toHaveBeenCalled()
  },
)

it.each(INVALIDATIONS)(
  'what a caller is given after it waited is kept on its node (%s)',
  async (how) => {
    const [a, b, c] = [fleet.startNode(), fleet.startNode(), fleet.startNode()]
    for (const node of [a, b, c]) await fleet.after(node.find('other'))
    const slow = deferred<string>()
    const loading = a.readBy('k', () => slow.promise)
    await fleet.clock.advanceAsync(0)
    const waiting = [b, c].map((node) => node.read('k', 'new'))
    await fleet.clock.advanceAsync(0)
    await invalidate(how, a)
    slow.resolve('old')
    await fleet.after(Promise.all([loading, ...waiting]))
    const tiers: string[] = []
    for (const node of [b, c]) {
      node.manager.on('hit', ({ tier }) => tiers.push(tier))
      expect(await fleet.after(node.read('k', 'loaded again'))).toBe('new')
    }
    expect(tiers).toEqual(['local', 'local'])
  },
)

it('who waits does not load beside another node because results were invalidated before they came', async () => {
  const [a, b, c] = [fleet.startNode(), fleet.startNode(), fleet.startNode()]
  for (const node of [a, b, c]) await fleet.after(node.find('other'))
  const loads: ReturnType<typeof deferred<string>>[] = []
  const begin = async (): Promise<void> => {
    const load = deferred<string>()
    loads.push(load)
    c.readBy('k', () => load.promise).catch(() => undefined)
    await fleet.clock.advanceAsync(0)
  }
  await begin()
  const load = vi.fn(async () => 'loaded alone')
  const waiting = b.readBy('k', load)
  await fleet.clock.advanceAsync(0)
  for (let round = 0; round < 6; round += 1) {
    fleet.isHeld = ({ node, ...each }) =>
      node === b.store.node && each.kind === 'reply' && each.operation === 'claim'
    loads[round]?.resolve('old')
    await fleet.clock.advanceAsync(0)
    await invalidate('evictTags', a)
    await begin()
    fleet.isHeld = () => false
    for (const arrive of fleet.held.splice(0)) arrive()
    await fleet.clock.advanceAsync(0)
  }
  expect(load).not.toHaveBeenCalled()
  loads.at(-1)?.resolve('new')
  expect(await fleet.after(waiting)).toBe('new')
})

it('who waits does not wait longer than leaseWait where each result is invalidated before it comes', async () => {
  const [a, b, c] = [1, 2, 3].map(() => fleet.startNode({ leaseWait: '3s' }))
  if (a === undefined || b === undefined || c === undefined) return
  for (const node of [a, b, c]) await fleet.after(node.find('other'))
  const waits: Promise<unknown>[] = []
  const begin = async () => {
    const slow = deferred<string>()
    waits.push(c.readBy('k', () => slow.promise))
    await fleet.clock.advanceAsync(0)
    return slow
  }
  let running = await begin()
  const load = vi.fn(async () => 'loaded alone')
  const waiting = b.readBy('k', load)
  await fleet.clock.advanceAsync(0)
  for (let round = 0; round < 4; round += 1) {
    fleet.isHeld = ({ node, ...each }) =>
      node === b.store.node && each.kind === 'reply' && each.operation === 'claim'
    running.resolve('old')
    await fleet.clock.advanceAsync(0)
    await invalidate('evictTags', a)
    running = await begin()
    await fleet.clock.advanceAsync(200)
    fleet.isHeld = () => false
    for (const arrive of fleet.held.splice(0)) arrive()
    await fleet.clock.advanceAsync(700)
  }
  expect(await fleet.after(waiting)).toBe('loaded alone')
  running.resolve('new')
  await fleet.after(Promise.all(waits))
})

async function invalidate(
  how: (typeof INVALIDATIONS)[number],
  { cache, manager }: ReturnType<Fleet['startNode']>,
): Promise<void> {
  const soft = how.endsWith('softly')
  await fleet.after(
    how.startsWith('clear') ? cache.clear({ soft }) : manager.evictTags(['t'], { soft }),
  )
}
