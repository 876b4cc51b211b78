import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Emitter } from '../events/emitter.ts'
import { type CacheOptions, resolveCachePolicy } from '../options/cache-options.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { type Keepable, keepable, keepableError, localEntryOf } from './keep.ts'
import type { CacheNode } from './node.ts'
import type { ReadRules } from './read-call.ts'

const BASE: CacheOptions = { ttl: 1_000, jitter: 0 }
const stamp = { partition: 7, birth: 5, known: 5, seq: 1, generation: 1, changes: 1 }

afterEach(() => void vi.restoreAllMocks())

function policyOf(options: CacheOptions = {}) {
  return resolveCachePolicy([BASE, options], 'test')
}

let events = new Emitter()
beforeEach(() => {
  events = new Emitter()
})

function keep(
  kind: 'value' | 'negative',
  options: CacheOptions = {},
  rules: Partial<ReadRules> = {},
): Keepable | undefined {
  const value = kind === 'value' ? 'v' : undefined
  const call = {
    policy: policyOf(options),
    rules: { mode: 'normal', tags: ['t'], ...rules },
    cache: 'c',
    fullKey: 'c:k',
  } as const
  return keepable(call, { kind, value, loadMs: 3 }, events)
}

describe('a value', () => {
  it('is fresh, then stale, then a fallback, each on top of the other', () => {
    const kept = keep('value', { staleWhileRevalidate: 200, staleIfError: 30 })
    expect(kept).toEqual({
      kind: 'value',
      value: 'v',
      loadMs: 3,
      tags: ['t'],
      lifetimes: { freshForMs: 1_000, staleForMs: 1_200, livesForMs: 1_230 },
    })
  })

  it('lives as its result says, unless that leaves it to the policy', () => {
    const livesFor = (ttlMs: number | undefined) =>
      keep('value', {}, { ttlOf: () => ttlMs })?.lifetimes.livesForMs
    expect([livesFor(7), livesFor(undefined), livesFor(0)]).toEqual([7, 1_000, undefined])
  })

  it('is not kept when its result says so', () => {
    expect(keep('value', {}, { storeWhen: () => false })).toBeUndefined()
    expect(keep('value', {}, { storeWhen: (value) => value === 'v' })).toBeDefined()
  })

  it('has each of its tags once', () => {
    const tagsOf = (...more: readonly string[]) => keep('value', {}, { tagsOf: () => more })?.tags
    expect([tagsOf(), tagsOf('u'), tagsOf('u', 't', 'u')]).toEqual([['t'], ['t', 'u'], ['t', 'u']])
  })
})

describe('a negative result', () => {
  it('is kept for negativeTtl only', () => {
    const options = { negativeTtl: 50, staleWhileRevalidate: 200, staleIfError: 30 }
    expect(keep('negative')).toBeUndefined()
    expect(keep('negative', options)).toMatchObject({
      kind: 'negative',
      lifetimes: { freshForMs: 50, staleForMs: 50, livesForMs: 50 },
    })
    expect(keep('negative', options, { ttlOf: () => 7 })?.lifetimes.livesForMs).toBe(7)
  })
})

it('an error is kept for as long as it is told, under the tags that are known', () => {
  const error = new Error('down')
  const call = {
    policy: policyOf({ staleIfError: 30, cacheErrors: () => 70 }),
    rules: { mode: 'normal', tags: ['t'], tagsOf: () => ['u'] },
    cache: 'c',
    fullKey: 'c:k',
  } as const
  expect(keepableError(call, { error, loadMs: 3 }, events)).toEqual({
    kind: 'error',
    value: error,
    loadMs: 3,
    tags: ['t'],
    lifetimes: { freshForMs: 70, staleForMs: 70, livesForMs: 70 },
  })
})

describe('jitter', () => {
  it.each([
    [0, 1_000],
    [0.5, 750],
    [0.99, 505],
  ])('shortens by a share of the fraction (%d)', (random, expected) => {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    const lifetimes = keep('value', { jitter: 0.5, staleIfError: 30 })?.lifetimes
    expect(lifetimes).toEqual({
      freshForMs: expected,
      staleForMs: expected,
      livesForMs: expected + 30,
    })
  })

  it('leaves a millisecond', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999)
    expect(keep('value', { ttl: 1, jitter: 0.5 })?.lifetimes.freshForMs).toBe(1)
  })
})

describe('the local entry of a result', () => {
  // Of the node, it reads the clock only.
  const node = { clock: new ManualClock(10_000) } as unknown as CacheNode
  const kept: Keepable = {
    kind: 'value',
    value: { list: [1] },
    loadMs: 100,
    tags: ['t'],
    lifetimes: { freshForMs: 1_000, staleForMs: 1_200, livesForMs: 1_230 },
  }

  it('lives from now on, and is a copy of nothing yet', () => {
    const entry = localEntryOf(node, policyOf({ isolation: 'shared' }), kept, {
      stamp: stamp,
      at: 9_000,
    })
    expect(entry).toMatchObject({
      value: { list: [1] },
      kind: 'value',
      tags: ['t'],
      stamp,
      birth: 5,
      commit: 0,
      verifiedAt: 9_000,
      calmUntil: 11_000,
      freshUntil: 11_000,
      staleUntil: 11_200,
      livesUntil: 11_230,
    })
    expect(Object.isFrozen(kept.value)).toBe(false)
  })

  it('is refreshed the earlier the longer its load took', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1 - Math.exp(-1))
    const calmUntil = (refreshAhead: number | false) =>
      localEntryOf(node, policyOf({ refreshAhead }), kept, { stamp: stamp, at: 0 }).calmUntil
    expect([calmUntil(false), calmUntil(1), calmUntil(3)]).toEqual([11_000, 10_900, 10_700])
  })

  it('is frozen where that is asked for, unless it is an error', () => {
    const error = new Error('down')
    localEntryOf(
      node,
      policyOf(),
      { ...kept, kind: 'error', value: error },
      { stamp: stamp, at: 0 },
    )
    expect(Object.isFrozen(error)).toBe(false)
    localEntryOf(node, policyOf(), kept, { stamp: stamp, at: 0 })
    expect(Object.isFrozen((kept.value as { list: unknown }).list)).toBe(true)
  })
})
