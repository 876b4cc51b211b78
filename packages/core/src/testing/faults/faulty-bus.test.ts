import { describe, expect, it } from 'vitest'
import type { Bus, BusListener, BusMessage } from '../../contracts/bus.ts'
import { BusRecorder } from '../conformance/bus-recorder.ts'
import { ManualClock } from '../manual-clock.ts'
import { type FaultyBus, faultyBus } from './faulty-bus.ts'

/** A bus that delivers in the same breath what the test says. */
function loopback(): Bus & { say(...keys: string[]): void } {
  const listeners: BusListener[] = []
  return {
    name: 'loopback',
    subscribe: (_, listener) => {
      listeners.push(listener)
      listener.onUp()
    },
    say(...keys) {
      for (const key of keys) for (const listener of listeners) listener.onMessage(wake(key))
    },
    close: async () => undefined,
  }
}

function wake(key: string): BusMessage {
  return { kind: 'wake', key }
}

interface Scene {
  readonly faulty: FaultyBus
  readonly recorder: BusRecorder
  readonly clock: ManualClock
  say(...keys: string[]): void
  heard(): string
}

function scene(): Scene {
  const clock = new ManualClock()
  const bus = loopback()
  const faulty = faultyBus(bus, { clock })
  const recorder = new BusRecorder()
  faulty.subscribe('ns', recorder)
  const heard = (): string =>
    recorder.messages.map((message) => (message.kind === 'wake' ? message.key : '-')).join('')
  return { faulty, recorder, clock, say: bus.say, heard }
}

describe('faultyBus', () => {
  it('delivers everything while no fault is switched on', () => {
    const { say, heard, recorder } = scene()
    say('a', 'b')
    expect([heard(), recorder.ups]).toEqual(['ab', 1])
  })

  it('drops, repeats and garbles as often as said', () => {
    const { faulty, say, heard, recorder } = scene()
    faulty.faults.drop({ times: 1 })
    faulty.faults.duplicate({ times: 1 })
    faulty.faults.garble({ times: 1 })
    say('a', 'b', 'c', 'd')
    expect([heard(), recorder.garbage]).toEqual(['bbd', 1])
  })

  it('hits only the kinds it was told to', () => {
    const { faulty, say, heard } = scene()
    faulty.faults.drop({ on: ['keys', 'tags'] })
    say('a')
    expect(heard()).toBe('a')
  })

  it('holds messages back and releases them in any order', () => {
    const { faulty, say, heard } = scene()
    faulty.faults.hold({ times: 3 })
    say('a', 'b', 'c', 'd')
    expect(heard()).toBe('d')
    faulty.faults.release('reversed')
    expect(heard()).toBe('dcba')
    faulty.faults.hold()
    say('e', 'f')
    faulty.faults.heal()
    expect(heard()).toBe('dcbaef')
  })

  it('delays by the clock it was given', () => {
    const { faulty, say, heard, clock } = scene()
    faulty.faults.delay(20, { times: 1 })
    say('a', 'b')
    clock.advance(20)
    expect(heard()).toBe('ba')
  })

  it('cuts the subscription off, and tells both its end and its return', () => {
    const { faulty, say, heard, recorder } = scene()
    faulty.faults.cut()
    say('a')
    faulty.faults.restore()
    say('b')
    expect([heard(), recorder.downs, recorder.ups]).toEqual(['b', 1, 2])
  })

  it('has a publish exactly when the bus has one', async () => {
    const published: BusMessage[] = []
    const bus = faultyBus({
      ...loopback(),
      publish: async (message) => void published.push(message),
    })
    await bus.publish?.(wake('a'))
    expect(published).toEqual([wake('a')])
    expect(faultyBus(loopback()).publish).toBeUndefined()
  })
})
