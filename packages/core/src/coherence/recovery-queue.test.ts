import { describe, expect, it } from 'vitest'
import { RecoveryQueue } from './recovery-queue.ts'

const at = (partition: number, key: string) => ({ partition, key })

function keysOf(queue: RecoveryQueue): readonly string[] {
  return queue.waiting().keys.map(({ key }) => key)
}

function tagsOf(queue: RecoveryQueue): readonly string[] {
  return queue.waiting().tags.map(({ tag }) => tag)
}

it('holds keys and tags until they were run', () => {
  const queue = new RecoveryQueue()
  expect([queue.addKey(at(1, 'a')), queue.addKey(at(2, 'b')), queue.addTags(['t'])]).toEqual([
    [],
    [],
    [],
  ])
  expect([queue.size, queue.keys.has('a'), queue.keys.has('t'), queue.escalated]).toEqual([
    3,
    true,
    false,
    'none',
  ])
  expect(queue.waiting().keys).toMatchObject([at(1, 'a'), at(2, 'b')])
  expect(tagsOf(queue)).toEqual(['t'])
  queue.settle(queue.waiting())
  expect([queue.size, queue.keys.has('a'), queue.escalated]).toEqual([0, false, 'none'])
})

it('keeps what was asked for again while it ran', () => {
  const queue = new RecoveryQueue()
  queue.addKey(at(1, 'a'))
  queue.addKey(at(1, 'b'))
  queue.addTags(['t', 'u'])
  const running = queue.waiting()
  queue.addKey(at(1, 'a'))
  queue.addTags(['t'])
  queue.settle(running)
  expect([keysOf(queue), tagsOf(queue)]).toEqual([['a'], ['t']])
})

it('tells whether what waits does as much as something asked for', () => {
  const queue = new RecoveryQueue()
  const soft = { soft: true, settleUntil: Number.NEGATIVE_INFINITY }
  const covers = () => [queue.covers('a', true), queue.covers('a', false)]
  expect(covers()).toEqual([false, false])
  queue.addKey(at(1, 'a'), soft)
  expect(covers()).toEqual([true, false])
  queue.addKey(at(1, 'a'))
  queue.addKey(at(1, 'a'), soft)
  expect(covers()).toEqual([true, true])
})

describe('past its cap', () => {
  it('replaces the keys of the fullest partition by its tag', () => {
    const queue = new RecoveryQueue(4, 10)
    for (const key of ['a', 'b']) queue.addKey(at(1, key))
    queue.addKey(at(2, 'c'))
    expect(queue.addKey(at(2, 'd'))).toEqual([])
    expect(queue.addKey(at(2, 'e'))).toEqual(['%2'])
    expect([keysOf(queue), tagsOf(queue), queue.escalated]).toEqual([
      ['a', 'b'],
      ['%2'],
      'partition',
    ])
  })

  it('replaces everything by the tag of all entries when there are too many tags', () => {
    const queue = new RecoveryQueue(10, 2)
    queue.addKey(at(1, 'a'))
    expect(queue.addTags(['t', 'u'])).toEqual([])
    expect([queue.escalated, queue.size]).toEqual(['none', 3])
    expect(queue.addTags(['v'])).toEqual(['*'])
    expect([keysOf(queue), tagsOf(queue), queue.escalated]).toEqual([[], ['*'], 'clear'])
  })

  it('says both when a partition is one tag too many', () => {
    const queue = new RecoveryQueue(1, 1)
    queue.addTags(['t'])
    queue.addKey(at(1, 'a'))
    expect(queue.addKey(at(1, 'b'))).toEqual(['%1', '*'])
    expect([keysOf(queue), tagsOf(queue), queue.escalated]).toEqual([[], ['*'], 'clear'])
  })

  it('stays as coarse as it became until it is empty', () => {
    const queue = new RecoveryQueue(1, 1)
    queue.addTags(['t', 'u'])
    const running = queue.waiting()
    for (const key of ['a', 'b']) queue.addKey(at(1, key))
    expect(queue.escalated).toBe('clear')
    queue.settle(running)
    expect([queue.escalated, queue.size > 0]).toEqual(['clear', true])
    queue.settle(queue.waiting())
    expect([queue.escalated, queue.size]).toEqual(['none', 0])
  })
})
