/** What `@larder/plugins/logging` writes: one line for each change of state, rated lines for the rest, and nothing secret. */

import { type AllEvents, createCacheManager, type EventName, LarderError } from '@larder/core'
import type { PluginHost } from '@larder/core/store'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { type LoggingOptions, logging } from '@larder/plugins/logging'
import { redisStore } from '@larder/redis-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'

interface Written {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

function recorder() {
  const lines: Written[] = []
  const write = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...fields } })
  }
  const logger = {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
  return { lines, logger, levels: () => lines.map(({ level }) => level) }
}

/** A started plugin whose events the test makes. */
function started(options: Partial<LoggingOptions> = {}) {
  const { lines, logger, levels } = recorder()
  const clock = new ManualClock()
  const listeners = new Map<string, (event: never) => void>()
  const manager = { isClosed: false }
  const on = (event: string, listener: (event: never) => void) => {
    listeners.set(event, listener)
    return () => undefined
  }
  const plugin = logging({ logger, ...options })
  plugin.start?.({ namespace: 'shop', clock, manager, on } as unknown as PluginHost)
  const emit = <Name extends EventName>(name: Name, event: AllEvents[Name]): void =>
    listeners.get(name)?.(event as never)
  const stop = async () => {
    manager.isClosed = true
    await plugin.stop?.()
  }
  return { lines, levels, clock, emit, listeners, stop }
}

const tooLarge = { cache: 'c', key: 'c:7', bytes: 9, maxBytes: 8 }
const store = { durationMs: 0, failedCalls: 1, skippedCalls: 0, wasNeverUp: false }

describe('a change of state', () => {
  it('is one line, and no line where nothing changed', () => {
    const { lines, emit } = started()
    for (const state of ['open', 'half-open', 'open', 'half-open', 'closed'] as const) {
      emit('breaker', { state })
    }
    for (const waiting of [1, 2, 3, 0]) emit('recovery-queue', { waiting, escalated: 'none' })
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn Larder (shop): circuit breaker of the store is open',
      'info Larder (shop): circuit breaker of the store is closed',
      'warn Larder (shop): evictions wait for the store',
      'info Larder (shop): no evictions wait any more',
    ])
  })

  it('is always said, however many there are', () => {
    const { lines, emit } = started({ most: 1 })
    for (let i = 0; i < 50; i++) emit('coherence', { state: i % 2 === 0 ? 'isolated' : 'verified' })
    expect(lines.length).toBe(50)
  })

  it('tells breakers apart by provider', () => {
    const { lines, emit } = started()
    emit('limit-breaker', { state: 'open', provider: 'a' })
    emit('limit-breaker', { state: 'open', provider: 'b' })
    emit('limit-breaker', { state: 'open', provider: 'a' })
    expect(lines.length).toBe(2)
  })

  it('has fields for machines beside the message', () => {
    const { lines, emit } = started()
    emit('outage', { ...store, state: 'began', kind: 'unreachable', message: 'ECONNREFUSED' })
    emit('outage', { ...store, state: 'ended', kind: 'unreachable', message: 'ECONNREFUSED' })
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'Larder (shop): outage began (unreachable): ECONNREFUSED',
        fields: {
          namespace: 'shop',
          event: 'outage',
          state: 'began',
          kind: 'unreachable',
          ...store,
        },
      },
      expect.objectContaining({ level: 'info' }),
    ])
  })
})

describe('what may happen at every read', () => {
  it('is said a few times, and then how often it happened beyond', async () => {
    const { lines, emit, clock } = started({ most: 2, every: '10s' })
    for (let i = 0; i < 100; i++) emit('too-large', tooLarge)
    expect(lines.length).toBe(2)
    await clock.advance(10_000)
    expect(lines.map(({ fields }) => fields['heldBack'])).toEqual([undefined, undefined, 98])
    emit('too-large', tooLarge)
    expect(lines.length).toBe(4)
  })

  it('is counted apart for each cache', () => {
    const { lines, emit } = started({ most: 1 })
    for (const cache of ['a', 'b', 'a', 'b']) emit('too-large', { ...tooLarge, cache })
    expect(lines.map(({ fields }) => fields['cache'])).toEqual(['a', 'b'])
  })

  it('is said to the end when the manager closes', async () => {
    const { lines, emit, stop } = started({ most: 1 })
    for (let i = 0; i < 3; i++) emit('too-large', tooLarge)
    await stop()
    expect(lines.at(-1)?.fields['heldBack']).toBe(2)
  })

  it('has a bounded number of kinds', () => {
    const { lines, emit } = started({ most: 1 })
    for (let i = 0; i < 5_000; i++) emit('too-large', { ...tooLarge, cache: `c${i}` })
    expect(lines.length).toBeLessThanOrEqual(1_001)
  })
})

describe('nothing secret', () => {
  const secret = 'hunter2'
  const events = (emit: ReturnType<typeof started>['emit']): void => {
    const error = Object.assign(new Error(`password ${secret}`), { code: 'E_X', detail: secret })
    const key = `users:${secret}`
    emit('undecodable', { cache: 'c', key, reason: 'value', error, count: 1 })
    emit('callback-error', { cache: 'c', key, option: 'tags', error })
    emit('background-error', { task: 'read', error })
    emit('too-large', { ...tooLarge, key })
    emit('store-error', { operation: 'read', error, skipped: false })
    emit('bus', { state: 'down', error })
    emit('lock', { key, outcome: 'lost', durationMs: 1, source: 'redis' })
    const message = `connect redis://user:${secret}@host:6379`
    emit('outage', { ...store, state: 'began', kind: 'unreachable', message })
    emit('trouble', { error: new Error(`at redis://:${secret}@host`) })
  }

  it('is in the lines: no key, no message of an error, no credentials of a URL', () => {
    const { lines, emit } = started()
    events(emit)
    expect(lines.length).toBe(9)
    expect(JSON.stringify(lines)).not.toContain(secret)
    expect(JSON.stringify(lines)).toContain('"code":"E_X"')
  })

  it('is in them when keys are hashed, and the same key has the same hash', () => {
    const { lines, emit } = started({ keys: 'hash' })
    events(emit)
    const hashes = new Set(lines.flatMap(({ fields }) => fields['key'] ?? []))
    expect(hashes.size).toBe(1)
    expect(JSON.stringify(lines)).not.toContain(secret)
  })

  it('but keys and messages are, for those who ask for them', () => {
    const { lines, emit } = started({ keys: 'plain', errors: 'message' })
    events(emit)
    expect(lines[0]?.fields).toMatchObject({
      key: `users:${secret}`,
      err: { type: 'Error', code: 'E_X', message: `password ${secret}` },
    })
  })

  it('also where something else than an error was thrown', () => {
    const { lines, emit } = started({ errors: 'message' })
    for (const error of [secret, null, undefined, { secret }]) {
      emit('background-error', { task: 'read', error })
    }
    expect(lines.map(({ fields }) => fields['err'])).toEqual([
      { type: 'string' },
      { type: 'null' },
      { type: 'undefined' },
      { type: 'object' },
    ])
    expect(JSON.stringify(lines)).not.toContain(secret)
  })
})

describe('levels', () => {
  it('fit what happened, and can be others', () => {
    const { levels, emit } = started({ levels: { lock: 'trace', 'too-large': false } })
    emit('lock', { key: 'k', outcome: 'lost', durationMs: 1, source: 's' })
    emit('too-large', tooLarge)
    emit('store-error', { operation: 'read', error: new Error('x'), skipped: true })
    expect(levels()).toEqual(['trace', 'debug'])
  })

  it('that are off are not listened to, and neither is what happens at every read', () => {
    const { listeners } = started({ levels: { bus: false } })
    for (const event of ['bus', 'hit', 'miss', 'load', 'put', 'limit']) {
      expect(listeners.has(event), event).toBe(false)
    }
  })
})

describe('a manager', () => {
  it('that is read a thousand times writes no line', async () => {
    const { lines, logger } = recorder()
    await using caches = createCacheManager({
      namespace: 'shop',
      local: lruStore(),
      default: false,
      plugins: [logging({ logger })],
    })
    for (let i = 0; i < 1_000; i++) await caches.cache('c').getOrLoad(`${i % 9}`, () => i)
    expect(lines).toEqual([])
  })

  it('whose store is away says so once, whatever is asked of it', async () => {
    const { lines, logger } = recorder()
    const caches = createCacheManager({
      namespace: 'shop',
      local: lruStore(),
      remote: redisStore({ url: 'redis://:hunter2@127.0.0.1:1' }),
      default: false,
      logger: false,
      plugins: [logging({ logger })],
    })
    onTestFinished(() => caches.close())
    await eventually('the outage is told', async () => {
      await caches.cache('c').getOrLoad('k', () => 1)
      await caches.cache('c').evict('k')
      return lines.some(({ fields }) => fields['event'] === 'outage')
    })
    for (let i = 0; i < 20; i++) await caches.cache('c').evict(`${i}`)
    const said = lines.filter(({ fields }) => fields['event'] === 'outage')
    expect(said.length).toBe(1)
    expect(lines.filter(({ fields }) => fields['event'] === 'recovery-queue').length).toBe(1)
    expect(JSON.stringify(lines)).not.toContain('hunter2')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('full'))],
  ])('goes on with a logger that %s', async (_, fail) => {
    const logger = { info: fail, warn: fail, error: fail }
    await using caches = createCacheManager({
      namespace: 'shop',
      remote: new MemoryServer().store(),
      codec: structuredCodec,
      default: false,
      defaults: { maxValueBytes: 100 },
      plugins: [logging({ logger })],
    })
    expect(await caches.cache('c').getOrLoad('k', () => 'x'.repeat(1_000))).toHaveLength(1_000)
  })
})

it.each([
  [{}, 'logging.logger'],
  [{ logger: { info: () => undefined } }, 'logging.logger'],
  [{ logger: console, levels: { hit: 'info' } }, 'logging.levels'],
  [{ logger: console, levels: { bus: 'loud' } }, 'logging.levels.bus'],
  [{ logger: console, levels: 'info' }, 'logging.levels'],
  [{ logger: console, keys: 'all' }, 'logging.keys'],
  [{ logger: console, errors: true }, 'logging.errors'],
  [{ logger: console, every: '1ms' }, 'logging.every'],
  [{ logger: console, most: 0 }, 'logging.most'],
  [{ logger: console, moost: 1 }, 'moost'],
])('refuses %o', (options, option) => {
  expect(() => logging(options as never)).toThrow(LarderError)
  expect(() => logging(options as never)).toThrow(option)
})

it('asks for the methods that its levels need', () => {
  const { info, warn, error } = console
  expect(() => logging({ logger: { info, warn, error } })).not.toThrow()
  expect(() => logging({ logger: { info, warn, error }, levels: { bus: 'debug' } })).toThrow(
    'logging.logger',
  )
})
