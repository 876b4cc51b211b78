import { describe, expect, it } from 'vitest'
import { decodeHeader, encodeEntry } from '../entry/envelope.ts'
import { type HowItWaits, RecoveryQueue } from './recovery-queue.ts'
import { agedValue, type WaitingEnd, type WaitingValue } from './waiting-value.ts'

const NO_WINDOW = { soft: false, settleUntil: Number.NEGATIVE_INFINITY }
const STAMP = { partition: 1, birth: 1, known: 1, seq: 2, generation: 0, changes: 0 }

const entry = (livesForMs: number): Buffer =>
  encodeEntry({
    flags: 0,
    commit: 7,
    birth: 1,
    freshForMs: 1_000,
    staleForMs: 5_000,
    livesForMs,
    loadMs: 3,
    schema: 0,
    steps: [],
    tags: ['t'],
    payload: Buffer.from('value'),
  })

function waiting(name: string, ended: string[] = [], bytes = 10): WaitingValue {
  return {
    bytes: Buffer.alloc(bytes),
    commit: name.charCodeAt(0),
    cacheTag: '@c',
    tags: [],
    stamp: STAMP,
    since: 2,
    begunAt: 0,
    askedAt: 0,
    ended: (outcome: WaitingEnd) => ended.push(`${name} ${outcome}`),
  }
}

const how = (value: WaitingValue): HowItWaits => ({ ...NO_WINDOW, value })
const at = (partition: number, key: string) => ({ partition, key })

describe('a value in the queue', () => {
  it('waits with the eviction of its key, as one item', () => {
    const queue = new RecoveryQueue()
    const value = waiting('a')
    queue.addKey(at(1, 'k'), { soft: true, settleUntil: 50 })
    queue.addKey(at(1, 'k'), how(value))
    expect(queue.puts()).toMatchObject([{ key: 'k', soft: false, settleUntil: 50, value }])
    expect([queue.size, queue.keys.has('k')]).toEqual([1, true])
    queue.settle({ keys: queue.puts(), tags: [] })
    expect([queue.size, queue.puts()]).toEqual([0, []])
  })

  it.each<readonly [what: string, act: (queue: RecoveryQueue) => void, left: number]>([
    ['an eviction', (queue) => queue.addKey(at(1, 'k')), 1],
    ['a soft eviction', (queue) => queue.addKey(at(1, 'k'), { ...NO_WINDOW, soft: true }), 1],
    ['another value', (queue) => queue.addKey(at(1, 'k'), how(waiting('b'))), 1],
    ['whoever drops it', (queue) => queue.dropValues(['k', 'other']), 1],
    ['the end of all', (queue) => queue.dropValues(), 1],
    ['too many keys', (queue) => ['l', 'm'].map((key) => queue.addKey(at(1, key))), 1],
    ['too many tags', (queue) => queue.addTags(['t', 'u', 'v']), 1],
  ])('is dropped by %s, and is told so once', (_, act, left) => {
    const ended: string[] = []
    const queue = new RecoveryQueue(2, 2)
    queue.addKey(at(1, 'k'), how(waiting('a', ended)))
    act(queue)
    queue.dropValues()
    expect(ended).toEqual(['a not-kept'])
    expect([queue.valueOf('k'), queue.size]).toEqual([undefined, left])
  })

  it('is left out when there is no room, and leaves room when it goes', () => {
    const queue = new RecoveryQueue(10, 10, { count: 2, bytes: 25 })
    for (const key of ['a', 'b', 'c']) queue.addKey(at(1, key), how(waiting(key)))
    expect(queue.puts().map(({ key }) => key)).toEqual(['a', 'b'])
    expect(queue.keys.has('c')).toBe(true)
    queue.dropValues(['a'])
    queue.addKey(at(1, 'c'), how(waiting('c', [], 16)))
    expect(queue.puts().map(({ key }) => key)).toEqual(['b'])
    queue.addKey(at(1, 'c'), how(waiting('c', [], 15)))
    expect(queue.puts().map(({ key }) => key)).toEqual(['b', 'c'])
  })

  it('remembers what was tried before it', () => {
    const queue = new RecoveryQueue()
    for (const name of 'abcdefghij') queue.addKey(at(1, 'k'), how(waiting(name)))
    queue.dropValues(['k'])
    const [item] = queue.waiting().keys
    expect(item?.attempts).toEqual([...'cdefghij'].map((name) => name.charCodeAt(0)))
  })
})

describe('a value that is sent late', () => {
  it('has lived meanwhile, and says for how long it waited', () => {
    const bytes = entry(60_000)
    const value = { ...waiting('a'), bytes, begunAt: 100, askedAt: 300 }
    const sent = agedValue(value, { livesForMs: 60_000 }, 2_300)
    expect(sent?.livesMs).toBe(58_000)
    expect(decodeHeader(sent?.bytes ?? Buffer.alloc(0))).toMatchObject({
      commit: 7,
      freshForMs: 0,
      staleForMs: 3_000,
      livesForMs: 58_000,
      loadMs: 2_203,
    })
    expect(decodeHeader(bytes)?.livesForMs).toBe(60_000)
  })

  it('is not sent when its life is over', () => {
    const value = { ...waiting('a'), bytes: entry(2_000) }
    expect(agedValue(value, { livesForMs: 2_000 }, 2_000)).toBeUndefined()
  })
})
