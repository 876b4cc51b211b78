import { describe, expect, it } from 'vitest'
import {
  StoreRefusedError,
  StoreSetupError,
  StoreTimeoutError,
  StoreUnavailableError,
} from '../errors/store-error.ts'
import { Emitter } from '../events/emitter.ts'
import type { CacheEvents } from '../events/events.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { logOutages } from './outage-log.ts'
import { StoreWatch } from './store-watch.ts'

const AWAY = new Error('connect ECONNREFUSED 127.0.0.1:7399')
const MINUTE = 60_000

function start() {
  const events = new Emitter()
  const clock = new ManualClock()
  const outages: CacheEvents['outage'][] = []
  const lines: string[] = []
  const say = (message: string): void => void lines.push(message)
  events.on('outage', (event) => outages.push(event))
  logOutages(events, 'shop', { info: say, warn: say, error: say })
  let isReady = true
  const watch = new StoreWatch({ events, clock, isReady: () => isReady })
  return {
    clock,
    watch,
    outages,
    lines,
    ready: (now: boolean) => {
      isReady = now
    },
    bus: (state: 'up' | 'down', error?: unknown) => events.emit('bus', { state, error }),
    breaker: (state: 'closed' | 'open' | 'half-open') => events.emit('breaker', { state }),
    fail: (error: unknown, skipped = false) =>
      events.emit('store-error', { operation: 'read', error, skipped }),
    queue: (waiting: number) => events.emit('recovery-queue', { waiting, escalated: 'none' }),
  }
}

describe('an outage', () => {
  it('is said at once and once when the store was never there, and once more when it is', () => {
    const { clock, outages, lines, ready, bus, breaker, fail } = start()
    ready(false)
    bus('down', AWAY)
    for (let n = 0; n < 3; n++) fail(new StoreUnavailableError('read', AWAY))
    breaker('open')
    for (let n = 0; n < 60; n++) fail(new StoreUnavailableError('read'), true)
    expect(lines).toEqual([
      'Larder (shop): the remote store was never reached: connect ECONNREFUSED 127.0.0.1:7399. Reads go on without it, evictions wait for it; locks and limits that need it fail.',
    ])
    clock.advance(4_100)
    ready(true)
    bus('up')
    breaker('half-open')
    expect(lines).toHaveLength(1)
    breaker('closed')
    expect(lines[1]).toBe(
      'Larder (shop): the remote store is back after 4.1 s; 3 calls had failed, 60 were not tried.',
    )
    expect(outages.map(({ state, kind }) => `${state} ${kind}`)).toEqual([
      'began unreachable',
      'ended unreachable',
    ])
  })

  it('that is over within a blink is no news, later', () => {
    const { clock, lines, ready, bus } = start()
    bus('up')
    ready(false)
    bus('down', AWAY)
    clock.advance(100)
    ready(true)
    bus('up')
    clock.advance(MINUTE)
    expect(lines).toEqual([])
    ready(false)
    bus('down', AWAY)
    clock.advance(250)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('cannot be reached')
  })

  it('is said by a manager that closes before the blink is over', () => {
    const { watch, lines, bus } = start()
    bus('up')
    bus('down', AWAY)
    watch.close()
    expect(lines).toHaveLength(1)
  })

  it.each([
    new Error('NOPERM no channels'),
    new StoreRefusedError('to be listened to', 'rights', 'NOPERM no channels'),
  ])('is of the bus alone when the store answers: %s', (refused) => {
    const { outages, bus } = start()
    bus('down', refused)
    expect(outages[0]).toMatchObject({ kind: 'deaf', message: refused.message })
  })

  it('that grows worse is said again, and ends once', () => {
    const { outages, lines, watch, ready, bus, breaker } = start()
    bus('down', new Error('NOPERM no channels'))
    ready(false)
    breaker('open')
    expect(lines).toHaveLength(2)
    ready(true)
    breaker('closed')
    expect(lines).toHaveLength(2)
    expect(watch.outage?.kind).toBe('deaf')
    bus('up')
    expect(outages.map(({ state, kind }) => `${state} ${kind}`)).toEqual([
      'began deaf',
      'began unreachable',
      'ended unreachable',
    ])
  })

  it('of single calls that fail is none', () => {
    const { clock, lines, fail } = start()
    fail(new StoreTimeoutError('read', 250))
    fail(new Error('WRONGTYPE'))
    clock.advance(MINUTE)
    expect(lines).toEqual([])
  })

  it('in which the store refuses writes is said every minute, until what waited has got through', () => {
    const { clock, lines, outages, fail, queue } = start()
    const full = new StoreRefusedError('evict', 'not-durable', 'MISCONF Errors writing to disk')
    for (let second = 0; second < 130; second += 5) {
      fail(full)
      clock.advance(5_000)
    }
    expect(outages.map(({ state }) => state)).toEqual(['began', 'lasts', 'lasts'])
    expect(lines[0]).toMatch(
      /refuses what it is asked: .*MISCONF .* other nodes may serve what was evicted/,
    )
    expect(lines[1]).toMatch(/for 60\.0 s by now/)
    queue(0)
    expect(outages.at(-1)?.state).toBe('ended')
  })

  it('of a replica is one that refuses, though no connection is kept to it, until a connection stands', () => {
    const { clock, outages, watch, lines, fail, bus, breaker, ready } = start()
    bus('up')
    fail(new StoreRefusedError('evict', 'readonly', 'READONLY'))
    ready(false)
    const refused = new StoreRefusedError('the connection', 'readonly', 'READONLY')
    bus('down', refused)
    breaker('open')
    for (let second = 0; second < 30; second += 5) {
      fail(new StoreUnavailableError('sync', refused))
      clock.advance(5_000)
      expect(watch.outage?.kind).toBe('refusing')
    }
    expect(lines[0]).toMatch(/READONLY.* other nodes may serve what was evicted/)
    ready(true)
    bus('up')
    breaker('closed')
    expect(outages.map(({ state, kind }) => `${state} ${kind}`)).toEqual([
      'began refusing',
      'ended refusing',
    ])
  })

  it('of a replica that is away since is told as that', () => {
    const { clock, outages, fail, bus, breaker, ready } = start()
    bus('up')
    fail(new StoreRefusedError('evict', 'readonly', 'READONLY'))
    ready(false)
    bus('down', AWAY)
    breaker('open')
    clock.advance(10_000)
    expect(outages.map(({ state, kind }) => `${state} ${kind}`)).toEqual([
      'began refusing',
      'began unreachable',
    ])
  })

  it('ends when the store has refused nothing for a while', () => {
    const { clock, outages, fail } = start()
    fail(new StoreRefusedError('fill', 'full', 'OOM'))
    clock.advance(10_000)
    expect(outages.map(({ state }) => state)).toEqual(['began', 'ended'])
  })

  it('that does not pass says what to do', () => {
    const { lines, watch, bus, ready } = start()
    ready(false)
    const missing = new StoreSetupError('needs the package ioredis.')
    bus('down', missing)
    expect(watch.setupError).toBe(missing)
    expect(lines).toEqual([
      'Larder (shop): the remote store cannot be used as it is set up: needs the package ioredis. Nothing is shared; locks and limits that need it fail.',
    ])
  })

  it('repeats no password', () => {
    const { lines, bus } = start()
    bus('down', new Error('cannot reach redis://app:hunter2@db:6379'))
    expect(lines[0]).toContain('redis://…@db:6379')
  })

  it('says every address of a name with several', () => {
    const { lines, bus } = start()
    bus('down', new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]))
    expect(lines[0]).toContain('::1 refused; 127.0.0.1 refused')
  })
})

describe('a trouble', () => {
  it('is said once', () => {
    const { watch, lines } = start()
    const error = new StoreRefusedError('a check of rights', 'rights', 'no zmscore')
    watch.note(error)
    watch.note(error)
    expect(lines).toEqual(['Larder (shop): The remote store refused a check of rights: no zmscore'])
    expect(watch.troubles).toHaveLength(1)
  })
})
