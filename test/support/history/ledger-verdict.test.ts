import { describe, expect, it } from 'vitest'
import { judgeLedgers, type NodeAccount, newestStored, storyOfFirstOwn } from './ledger-verdict.ts'
import type { LedgerEvent } from './node-ledger.ts'

function node(events: readonly LedgerEvent[], rest: Partial<NodeAccount> = {}): NodeAccount {
  return { events, pauses: [], isKilled: false, ...rest }
}

function judge(...nodes: readonly NodeAccount[]): ReturnType<typeof judgeLedgers> {
  return judgeLedgers(nodes, 1)
}

describe('a read of an old version', () => {
  it('is wrong on the node whose eviction was acknowledged before', () => {
    const own = node([
      ['evicted', 'k', 2, 100],
      ['read', 'k', 1, 101],
    ])
    expect(judge(own)).toMatchObject({ staleOwn: 1, staleOther: 0, oldestMs: 1 })
    expect(storyOfFirstOwn([own])).toContain('-1.00 node 0: evicted k 2')
  })

  it('has an age on the others', () => {
    const evictor = node([
      ['evicted', 'k', 2, 100],
      ['evicted', 'k', 3, 150],
    ])
    const other = node([
      ['read', 'k', 2, 160],
      ['read', 'k', 1, 140],
    ])
    const { staleOwn, staleOther, oldestMs } = judge(evictor, other)
    expect({ staleOwn, staleOther, oldestMs }).toEqual({ staleOwn: 0, staleOther: 2, oldestMs: 40 })
    expect(storyOfFirstOwn([evictor, other])).toEqual([])
  })

  it('is fine when it began before, is of another key, or of a version as new', () => {
    const evictor = node([['evicted', 'k', 2, 100]])
    const other = node([
      ['read', 'k', 1, 99],
      ['read', 'other', 1, 101],
      ['read', 'k', 2, 101],
      ['read', 'k', 3, 101],
    ])
    expect(judge(evictor, other)).toMatchObject({ reads: 4, staleOwn: 0, staleOther: 0 })
  })
})

describe('an eviction that waited for the store', () => {
  const waited: readonly LedgerEvent[] = [
    ['queue', 1, 99],
    ['evicted', 'k', 2, 100],
    ['read', 'k', 1, 110],
    ['queue', 0, 500],
    ['evicted', 'k', 3, 600],
  ]

  it('counts at once on its own node, and elsewhere from when the store had it', () => {
    const other = node([['read', 'k', 1, 550]])
    const verdict = judge(node(waited), other)
    expect(verdict).toMatchObject({ staleOwn: 1, staleOther: 1 })
    expect(verdict).toMatchObject({ oldestMs: 450, oldestSinceStoredMs: 50 })
  })

  it('is expected at rest, unless its node was killed before it could tell the store', () => {
    const alive = node(waited.slice(0, 2))
    const killed = node(waited.slice(0, 2), { isKilled: true })
    const toldFirst = node(waited.slice(0, 4), { isKilled: true })
    expect(newestStored([alive]).get('k')).toBe(2)
    expect(newestStored([killed]).get('k')).toBe(0)
    expect(newestStored([toldFirst]).get('k')).toBe(2)
  })
})

it('counts what failed and hung, loads, and the lives that changes ended', () => {
  const verdict = judge(
    node([
      ['change', 'k', 'evict tag', 5, 1],
      ['load', 'k', 2],
      ['load', 'k', 3],
      ['failed', 4],
      ['hung', 5],
    ]),
  )
  expect(verdict).toMatchObject({ loadsPerKey: 2, livesPerKey: 6, errors: 1, hung: 1 })
})

it('takes the time in which a process was stopped out of its calls, and out of no other', () => {
  const stopped = node([['took', 0, 1_000]], { pauses: [[100, 900]] })
  expect(judge(stopped).slowestMs).toBe(200)
  expect(judge(stopped, node([['took', 0, 300]])).slowestMs).toBe(300)
})

it('is slowest by the time in which its process got on, counted once', () => {
  const busy = node(
    [
      ['stood', 100, 150],
      ['stood', 140, 240],
      ['took', 50, 300],
    ],
    { pauses: [[120, 200]] },
  )
  expect(judge(busy).slowestMs).toBe(110)
})
