/** What every event-store provider must do for projections. */

import assert from 'node:assert/strict'
import type { EventStoreProvider, ProjectionClaim } from '../../contracts/event-store-provider.ts'
import { add, type EventStoreCase, LOG, PLACE } from './event-steps.ts'

const CLAIM: ProjectionClaim = { projection: 'p', owner: 'one', leaseMs: 60_000 }

export const PROJECTION_CASES: readonly EventStoreCase[] = [
  [
    'lets one projector at a time have the turn, with fences that rise',
    async ([one, other]) => {
      await add(one, 'a', ['1', '2', '3', '4', '5'])
      const first = await taken(one, CLAIM)
      assert.deepEqual(
        [first.position, first.mark, first.isRewound, first.fence > 0],
        [0, '', false, true],
      )
      const turn = await other.take(PLACE, { ...CLAIM, owner: 'two' })
      assert.equal(turn.kind, 'held')
      assert.deepEqual(await one.take(PLACE, CLAIM), first)
      const { fence } = first
      const save = { ...CLAIM, fence, position: 4, mark: 'm', isLast: true }
      assert.equal(await one.save(PLACE, save), 'saved')
      const next = await taken(other, { ...CLAIM, owner: 'two' })
      assert.deepEqual([next.position, next.mark, next.fence > fence], [4, 'm', true])
      assert.equal(await one.save(PLACE, { ...save, position: 5 }), 'lost')
      const wrongOwner = { ...save, fence: next.fence, position: 5 }
      assert.equal(await one.save(PLACE, wrongOwner), 'lost')
    },
  ],
  [
    'never lets what was saved go back',
    async ([one]) => {
      await add(one, 'a', ['1', '2', '3', '4', '5'])
      const { fence } = await taken(one, CLAIM)
      const save = { ...CLAIM, fence, position: 5, mark: 'm', isLast: false }
      await one.save(PLACE, save)
      assert.equal(await one.save(PLACE, { ...save, position: 3 }), 'saved')
      assert.equal((await taken(one, CLAIM)).position, 5)
    },
  ],
  [
    'refuses a place that its log does not have, and does not read on behind it',
    async ([one]) => {
      await add(one, 'a', ['1', '2'], { mark: 'x' })
      await add(one, 'a', ['3'], { mark: 'y' })
      const isContinued = async (after: number, mark: string) => {
        const page = await one.readLog(PLACE, { ...LOG, after, mark })
        return page.isContinued
      }
      assert.deepEqual(
        (await one.readLog(PLACE, LOG)).events.map(({ mark }) => mark),
        ['x', 'x', 'y'],
      )
      assert.equal(await isContinued(2, 'x'), true)
      assert.equal(await isContinued(3, 'y'), true)
      assert.equal(await isContinued(2, 'y'), false)
      assert.equal(await isContinued(4, 'y'), false)
      const { fence } = await taken(one, CLAIM)
      const save = { ...CLAIM, fence, isLast: false }
      assert.equal(await one.save(PLACE, { ...save, position: 2, mark: 'y' }), 'rewound')
      assert.equal(await one.save(PLACE, { ...save, position: 4, mark: 'y' }), 'rewound')
      assert.equal((await taken(one, CLAIM)).position, 0)
      const unknown = { ...save, projection: 'q', position: 0, mark: '' }
      assert.equal(await one.save(PLACE, unknown), 'rewound')
    },
  ],
]

async function taken(end: EventStoreProvider, claim: ProjectionClaim) {
  const turn = await end.take(PLACE, claim)
  assert.ok(turn.kind === 'taken')
  return turn
}
