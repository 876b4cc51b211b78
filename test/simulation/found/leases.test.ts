/** A lease that nobody holds is waited for by nobody, each way to come by one as the shortest history that shows it. */

import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../../support/eventually.ts'
import { Fleet } from './fleet.ts'

/** Some round trips, and one sync after which a release is sent again. */
const SOON_MS = 1_500

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it.each([
  ['a claim whose reply was lost', 'claim', 'loseReply'],
  ['a fill that was lost', 'fill', 'fail'],
  ['a fill whose reply was lost', 'fill', 'loseReply'],
] as const)('another node does not wait after %s', async (_, on, fault) => {
  const policy = { leaseWait: '1m' } as const
  const [a, b] = [fleet.startNode(policy), fleet.startNode(policy)]
  await fleet.after(a.find('other'))
  await fleet.after(b.find('other'))
  a.store.faults[fault]({ on, times: 1 })
  expect(await fleet.after(a.read('k', 'value'))).toBe('value')
  expect(await soon(b.read('k', 'value'))).toBe('value')
})

it('another node does not wait after a release that failed', async () => {
  const policy = { leaseWait: '1m' } as const
  const [a, b] = [fleet.startNode(policy), fleet.startNode(policy)]
  await fleet.after(b.find('other'))
  a.store.faults.fail({ on: 'release', times: 1 })
  const failing = a.readBy('k', () => Promise.reject(new Error('no source')))
  await expect(fleet.after(failing)).rejects.toThrow('no source')
  expect(await soon(b.read('k', 'value'))).toBe('value')
})

it.each(['read', 'refresh', 'evict'] as const)(
  'who is refused because of a lease does not wait for it where the message of its end comes first (%s)',
  async (how) => {
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    for (const node of [a, b]) await fleet.after(node.find('other'))
    const slow = deferred<string>()
    const loading = a.readBy('k', () => slow.promise)
    await fleet.clock.advanceAsync(0)
    fleet.isHeld = ({ node, ...each }) =>
      node === b.store.node && each.kind === 'reply' && each.operation === 'claim'
    const reading = how === 'refresh' ? b.cache.refresh('k', async () => 'new') : b.read('k', 'new')
    await fleet.clock.advanceAsync(0)
    if (how === 'evict') await fleet.after(a.cache.evict('k'))
    else slow.resolve('old')
    await fleet.clock.advanceAsync(0)
    fleet.isHeld = () => false
    for (const arrive of fleet.held) arrive()
    const end = await Promise.race([reading, fleet.clock.advanceAsync(0).then(() => 'waits')])
    expect(end).toBe(how === 'read' ? 'old' : 'new')
    slow.resolve('old')
    await fleet.after(loading)
  },
)

async function soon<Result>(reading: Promise<Result>): Promise<Result | 'waits'> {
  const late = new Promise<'waits'>((resolve) =>
    fleet.clock.schedule(SOON_MS, () => resolve('waits'), 'background'),
  )
  const first = Promise.race([reading, late])
  await fleet.clock.advanceAsync(SOON_MS)
  return first
}
