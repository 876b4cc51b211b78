/** The conformance suite of fleet providers: on real time, with heartbeats that are kept for long, or end meanwhile. */

import assert from 'node:assert/strict'
import {
  type FleetProvider,
  type Heartbeat,
  type KeptHeartbeat,
  LONGEST_HEARTBEAT_MS,
} from '../../contracts/fleet-provider.ts'
import { type ConformanceCase, PASSED, skippedFor } from './conformance-case.ts'
import { eventually } from './patience.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface FleetsUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly fleets: readonly [FleetProvider, FleetProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeFleets = () => FleetsUnderTest | Promise<FleetsUnderTest>

type Ends = readonly [FleetProvider, FleetProvider]

interface FleetCase {
  readonly name: string
  readonly isAboutOthers?: boolean
  run(ends: Ends, make: MakeFleets): Promise<void>
}

const LONG_MS = 60_000
const SHORT_MS = 60
const LONG_REPORT = `{"text":"${'ü☃ \\"\n:'.repeat(2_000)}"}`

const CASES: readonly FleetCase[] = [
  {
    name: 'keeps nothing before the first heartbeat',
    async run([fleet]) {
      const { nowMs, heartbeats } = await fleet.list()
      assert.deepEqual(heartbeats, [])
      assert(nowMs >= 0, 'it says what time it is')
    },
  },
  {
    name: 'hands out what each node said last, as it was said',
    async run([one, other]) {
      for (const report of ['first', LONG_REPORT, '', 'last']) {
        assert.equal(await one.beat(beat('a', { report })), true)
        assert.deepEqual(await reportsOf(other), { a: report })
      }
      assert.equal(await other.beat(beat('b', { report: 'of b' })), true)
      assert.deepEqual(await reportsOf(one), { a: 'last', b: 'of b' })
    },
  },
  {
    name: 'says how old a heartbeat is and how long it is kept, by one clock',
    async run([fleet]) {
      await fleet.beat(beat('a'))
      const before = await only(fleet)
      assert(before.ageMs >= 0 && before.leftMs > 0, 'it is new')
      assert.equal(before.ageMs + before.leftMs, LONG_MS)
      const after = await eventually('time goes by', async () => {
        const now = await only(fleet)
        return now.ageMs > before.ageMs && now
      })
      assert.equal(after.ageMs + after.leftMs, LONG_MS)
    },
  },
  {
    name: 'forgets a node whose time is over, and no other',
    async run([one, other]) {
      await one.beat(beat('short', { livesMs: SHORT_MS }))
      await other.beat(beat('long', { livesMs: LONGEST_HEARTBEAT_MS }))
      await eventually('it is over', async () => !(await namesIn(one)).includes('short'))
      assert.deepEqual(await namesIn(other), ['long'])
    },
  },
  {
    name: 'keeps a node for as long as its last heartbeat says, be it longer or shorter',
    async run([fleet]) {
      await fleet.beat(beat('a', { livesMs: SHORT_MS }))
      await fleet.beat(beat('a', { livesMs: LONG_MS }))
      assert((await only(fleet)).leftMs > SHORT_MS, 'longer')
      await fleet.beat(beat('a', { livesMs: SHORT_MS }))
      assert((await only(fleet)).leftMs <= SHORT_MS, 'shorter')
    },
  },
  {
    name: 'keeps again a node whose time was over',
    async run([fleet]) {
      await fleet.beat(beat('a', { livesMs: SHORT_MS }))
      await eventually('it is over', async () => (await namesIn(fleet)).length === 0)
      await fleet.beat(beat('a', { report: 'back' }))
      assert.deepEqual(await reportsOf(fleet), { a: 'back' })
    },
  },
  {
    name: 'forgets a node that leaves at once, and does not mind one that it does not know',
    async run([one, other]) {
      await one.beat(beat('a'))
      await one.beat(beat('b'))
      await other.leave('a')
      await other.leave('a')
      await one.leave('unknown')
      assert.deepEqual(await namesIn(one), ['b'])
    },
  },
  {
    name: 'changes nothing by listing',
    async run([fleet]) {
      await fleet.beat(beat('a'))
      const first = await only(fleet)
      const second = await only(fleet)
      assert.equal(second.report, first.report)
      assert(second.leftMs <= first.leftMs, 'looking prolongs nothing')
    },
  },
  {
    name: 'keeps namespaces apart',
    async run([fleet], make) {
      await fleet.beat(beat('a'))
      const { fleets, namespace, cleanup } = await make()
      for (const end of fleets) end.open(namespace)
      try {
        assert.deepEqual(await namesIn(fleets[0]), [])
      } finally {
        for (const end of fleets) await end.close()
        await cleanup?.()
      }
    },
  },
  {
    name: 'keeps what a node said when another end closes',
    isAboutOthers: true,
    async run([one, other]) {
      await one.beat(beat('a'))
      await one.close()
      assert.deepEqual(await namesIn(other), ['a'])
    },
  },
]

/**
 * Returns the cases a fleet provider must pass; those about other ends report themselves as skipped where there are none.
 *
 * @param makeFleets is called at least once per case.
 */
export function fleetCases(makeFleets: MakeFleets): readonly ConformanceCase[] {
  return CASES.map(({ name, isAboutOthers = false, run }) => ({
    name,
    async run() {
      const { fleets, namespace, cleanup } = await makeFleets()
      try {
        if (isAboutOthers && !fleets[0].capabilities.shared) {
          return skippedFor('the fleet under test is not shared')
        }
        for (const end of fleets) {
          end.open(namespace)
          end.open(namespace)
        }
        await run(fleets, makeFleets)
        return PASSED
      } finally {
        for (const end of fleets) await end.close()
        await cleanup?.()
      }
    },
  }))
}

function beat(node: string, given: Partial<Heartbeat> = {}): Heartbeat {
  return { node, report: 'well', livesMs: LONG_MS, ...given }
}

async function reportsOf(fleet: FleetProvider): Promise<Readonly<Record<string, string>>> {
  const { heartbeats } = await fleet.list()
  return Object.fromEntries(heartbeats.map(({ node, report }) => [node, report]))
}

async function namesIn(fleet: FleetProvider): Promise<readonly string[]> {
  const { heartbeats } = await fleet.list()
  return heartbeats.map(({ node }) => node).sort()
}

async function only(fleet: FleetProvider): Promise<KeptHeartbeat> {
  const [heartbeat, ...others] = (await fleet.list()).heartbeats
  assert.deepEqual(others, [])
  assert(heartbeat !== undefined, 'it is kept')
  return heartbeat
}
