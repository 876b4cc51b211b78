/** What a store's mutations publish. */

import assert from 'node:assert/strict'
import type { BusMessage } from '../../../contracts/bus.ts'
import type { BusRecorder } from '../bus-recorder.ts'
import { at, HARD, HOUR_MS, type RemoteCase, type RemoteStage } from './remote-case.ts'

const PUBLISHES = ['bus', 'publishes'] as const
const WAKES = ['bus', 'publishes', 'leases'] as const

export const MESSAGES: readonly RemoteCase[] = [
  {
    name: 'tells every node, the changing one too, what was put and evicted',
    needs: PUBLISHES,
    async run(stage) {
      const { a, b } = stage
      const recorders = [await stage.listen(a), await stage.listen(b)]
      const put = await a.put(at('x'), { bytes: stage.entry(), livesMs: HOUR_MS, since: 0 })
      const [evict] = await b.evict([at('y'), at('ü ☃')], HARD)
      for (const recorder of recorders) {
        await received(stage, recorder, {
          kind: 'keys',
          partition: 3,
          previous: put.previous,
          seq: put.seq,
          keys: ['c:x'],
        })
        await received(stage, recorder, {
          kind: 'keys',
          partition: 3,
          previous: evict?.previous ?? 0,
          seq: evict?.seq ?? 0,
          keys: ['c:y', 'c:ü ☃'],
        })
      }
    },
  },
  {
    name: 'tells of a put that became an evict, and of a soft evict',
    needs: PUBLISHES,
    async run(stage) {
      const recorder = await stage.listen(stage.b)
      const put = await stage.a.put(at('x'), { bytes: stage.entry(), livesMs: HOUR_MS, since: 1 })
      const [soft] = await stage.a.evict([at('y')], { soft: true, settleMs: 0 })
      await stage.until('both are told', () => {
        const seqs = recorder.messages.map((message) => message.kind === 'keys' && message.seq)
        return seqs.includes(put.seq) && seqs.includes(soft?.seq ?? 0)
      })
    },
  },
  {
    name: 'tells how keys were evicted, where there is something to say',
    needs: PUBLISHES,
    async run(stage) {
      const recorder = await stage.listen(stage.b)
      for (const [soft, settleMs] of [
        [true, 0],
        [false, 5_000],
        [true, 5_000],
      ] as const) {
        const [reply] = await stage.a.evict([at('x')], { soft, settleMs })
        await received(stage, recorder, {
          kind: 'keys',
          partition: 3,
          previous: reply?.previous ?? 0,
          seq: reply?.seq ?? 0,
          keys: ['c:x'],
          ...(soft ? { soft } : {}),
          ...(settleMs > 0 ? { settleMs } : {}),
        })
      }
    },
  },
  {
    name: 'tells every node which tags were invalidated',
    needs: PUBLISHES,
    async run(stage) {
      const recorders = [await stage.listen(stage.a), await stage.listen(stage.b)]
      const bump = await stage.a.bumpTags(['x', 'ü ☃'], 0, HOUR_MS)
      for (const recorder of recorders) {
        await received(stage, recorder, { kind: 'tags', ...bump, tags: ['x', 'ü ☃'] })
      }
    },
  },
  {
    name: 'wakes those who wait when a lease is filled or released',
    needs: WAKES,
    async run(stage) {
      const recorder = await stage.listen(stage.b)
      const filled = await stage.lease(stage.a, at('filled'))
      const released = await stage.lease(stage.a, at('released'))
      for (const key of ['filled', 'released']) {
        assert.equal((await stage.claim(stage.b, at(key))).kind, 'held')
      }
      await stage.a.fill(at('filled'), filled, stage.entry(), HOUR_MS)
      await stage.a.release(at('released'), released)
      await received(stage, recorder, { kind: 'wake', key: 'c:filled' })
      await received(stage, recorder, { kind: 'wake', key: 'c:released' })
    },
  },
  {
    name: 'lets those who wait know when a lease is voided by a put or an evict',
    needs: WAKES,
    async run(stage) {
      const recorder = await stage.listen(stage.b)
      for (const key of ['put', 'evict']) {
        await stage.lease(stage.a, at(key))
        assert.equal((await stage.claim(stage.b, at(key))).kind, 'held')
      }
      await stage.put(at('put'))
      await stage.a.evict([at('evict')], HARD)
      await stage.until('both are known', () => {
        return recorder.wasWoken('c:put') && recorder.wasWoken('c:evict')
      })
    },
  },
  {
    name: 'broadcasts no fill or release that nobody waits for',
    needs: WAKES,
    async run(stage) {
      const recorder = await stage.listen(stage.b)
      const filled = await stage.lease(stage.a, at('quiet'))
      await stage.a.fill(at('quiet'), filled, stage.entry(), HOUR_MS)
      const released = await stage.lease(stage.a, at('quieter'))
      await stage.a.release(at('quieter'), released)
      const bump = await stage.a.bumpTags(['last'], 0, HOUR_MS)
      await received(stage, recorder, { kind: 'tags', ...bump, tags: ['last'] })
      assert.equal(recorder.messages.length, 1)
    },
  },
  {
    name: 'tells nobody in another namespace',
    needs: PUBLISHES,
    isApart: true,
    async run(stage) {
      const recorder = await stage.listen(stage.b)
      await stage.a.evict([at('x')], HARD)
      await stage.b.evict([at('y')], HARD)
      await stage.until('its own is told', () => recorder.wasWoken('c:y'))
      assert.equal(recorder.wasWoken('c:x'), false)
    },
  },
]

async function received(
  stage: RemoteStage,
  recorder: BusRecorder,
  expected: BusMessage,
): Promise<void> {
  const found = await stage.until(`a ${expected.kind} message arrives`, () =>
    recorder.messages.find((message) => isSame(message, expected)),
  )
  assert.deepEqual(found, expected)
}

/** Tells whether it is about the same change: then every field is compared. */
function isSame(message: BusMessage, expected: BusMessage): boolean {
  if (message.kind === 'keys' && expected.kind === 'keys') return message.seq === expected.seq
  if (message.kind === 'tags' && expected.kind === 'tags')
    return message.version === expected.version
  return message.kind === 'wake' && expected.kind === 'wake' && message.key === expected.key
}
