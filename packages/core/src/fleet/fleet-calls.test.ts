/** When heartbeats are sent, and that nothing suffers from them. On a manual clock. */

import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { FleetProvider, Heartbeat } from '../contracts/fleet-provider.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { FleetCalls, type FleetParts } from './fleet-calls.ts'

const EVERY = { name: null, host: null, everyMs: 5_000 }

/** A provider that notes its calls, with answers of the test. */
function stage(answers: Partial<FleetProvider> = {}, parts: Partial<FleetParts> = {}) {
  const clock = new ManualClock()
  const calls: string[] = []
  const beats: Heartbeat[] = []
  const told: string[] = []
  const provider: FleetProvider = {
    name: 'noted',
    capabilities: { shared: true },
    open: (namespace) => void calls.push(`open ${namespace}`),
    beat: (heartbeat) => {
      calls.push('beat')
      beats.push(heartbeat)
      return answers.beat?.(heartbeat) ?? Promise.resolve(true)
    },
    leave: (node) => {
      calls.push('leave')
      return answers.leave?.(node) ?? Promise.resolve()
    },
    list: () => answers.list?.() ?? Promise.resolve({ nowMs: 0, heartbeats: [] }),
    close: async () => {
      calls.push('close')
      await answers.close?.()
    },
  }
  const fleet = new FleetCalls({
    namespace: 'shop',
    provider,
    clock,
    report: () => 'well',
    onFull: (message) => told.push(message),
    ...parts,
  })
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(Math.min(500, left))
      await turnOfTheLoop()
    }
  }
  return {
    fleet,
    clock,
    calls,
    beats,
    told,
    pass,
    count: () => calls.filter((c) => c === 'beat').length,
  }
}

const hang = (): Promise<never> => new Promise(() => undefined)
const fail = (): Promise<never> => Promise.reject(new Error('away'))
const throwAtOnce = (): never => {
  throw new Error('broken')
}

describe('a node that reports', () => {
  it('does so at once and then as often as was said, give or take a tenth, for three times as long', async () => {
    const { fleet, pass, count, beats } = stage()
    fleet.begin(EVERY)
    expect(count()).toBe(0)
    await pass(1)
    expect(count()).toBe(1)
    await pass(500_000)
    expect(count()).toBeGreaterThanOrEqual(1 + Math.floor(100 / 1.1) - 1)
    expect(count()).toBeLessThanOrEqual(1 + Math.ceil(100 / 0.9) + 1)
    expect(new Set(beats.map(({ node }) => node)).size).toBe(1)
    expect(beats[0]).toMatchObject({ livesMs: 15_000, report: 'well' })
    await fleet.close()
  })

  it('keeps no process alive', async () => {
    const { fleet, clock, pass } = stage({ beat: hang })
    fleet.begin(EVERY)
    await pass(600)
    expect(clock.pending).toBeGreaterThan(0)
    expect(clock.held).toBe(0)
    const closed = fleet.close()
    await pass(500)
    await closed
  })

  it('leaves when it is closed, and sends nothing any more', async () => {
    const { fleet, calls, pass, clock, count } = stage()
    fleet.begin(EVERY)
    await pass(1)
    await fleet.close()
    expect(calls).toEqual(['open shop', 'beat', 'leave', 'close'])
    await pass(60_000)
    expect(count()).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('closed before its first heartbeat has nothing to leave', async () => {
    const { fleet, calls, pass } = stage()
    fleet.begin(EVERY)
    await fleet.close()
    await pass(60_000)
    expect(calls).toEqual(['open shop', 'close'])
  })

  it('closed during a heartbeat leaves behind it, so that it does not come back', async () => {
    let answer = (_: boolean): void => undefined
    const { fleet, calls, pass } = stage({
      beat: () => new Promise((resolve) => (answer = resolve)),
    })
    fleet.begin(EVERY)
    await pass(1)
    const closed = fleet.close()
    await turnOfTheLoop()
    expect(calls).toEqual(['open shop', 'beat'])
    answer(true)
    await closed
    expect(calls).toEqual(['open shop', 'beat', 'leave', 'close'])
  })

  it.each<[string, Partial<FleetProvider>]>([
    ['hangs', { beat: hang, leave: hang }],
    ['fails', { beat: fail, leave: fail, close: fail }],
    ['throws at once', { beat: throwAtOnce, leave: throwAtOnce, close: throwAtOnce }],
  ])('goes on, and closes, with a store that %s', async (_, answers) => {
    const { fleet, pass, count, clock } = stage(answers)
    fleet.begin(EVERY)
    await pass(60_000)
    expect(count()).toBeGreaterThan(3)
    const closed = fleet.close()
    await pass(1_000)
    await closed
    const before = count()
    await pass(60_000)
    expect(count()).toBe(before)
    expect(clock.pending).toBe(0)
  })

  it('has one heartbeat under way at most', async () => {
    // The next one is due a tenth earlier than usual, and than this one is given up.
    vi.spyOn(Math, 'random').mockReturnValue(0)
    onTestFinished(() => void vi.restoreAllMocks())
    const { fleet, pass, count } = stage({ beat: hang })
    fleet.begin({ ...EVERY, everyMs: 1_000 })
    await pass(1_500)
    expect(count()).toBe(1)
    await pass(500)
    expect(count()).toBe(2)
    const closed = fleet.close()
    await pass(1_000)
    await closed
  })

  it('that cannot say anything sends nothing', async () => {
    const { fleet, pass, count } = stage({}, { report: throwAtOnce })
    fleet.begin(EVERY)
    await pass(60_000)
    expect(count()).toBe(0)
    await fleet.close()
  })

  it('that is one too many is told of once', async () => {
    const { fleet, pass, told } = stage({ beat: async () => false })
    fleet.begin(EVERY)
    await pass(60_000)
    expect(told).toEqual([expect.stringMatching(/shop.*1000 nodes.*not shown/)])
    await fleet.close()
  })
})

describe('asking for the fleet', () => {
  it('ends with an error when the store does not answer within two seconds', async () => {
    const { fleet, clock } = stage({ list: hang })
    const asked = fleet.list()
    const outcome = asked.catch((error: Error) => error.name)
    await turnOfTheLoop()
    clock.advance(2_000)
    expect(await outcome).toBe('StoreTimeoutError')
  })

  it('is done also after heartbeats have failed', async () => {
    const { fleet, pass } = stage({ beat: fail })
    fleet.begin(EVERY)
    await pass(60_000)
    expect((await fleet.list()).nodes).toEqual([])
    await fleet.close()
  })

  it('fails as the store does', async () => {
    const { fleet } = stage({ list: fail })
    await expect(fleet.list()).rejects.toThrow('away')
  })
})
