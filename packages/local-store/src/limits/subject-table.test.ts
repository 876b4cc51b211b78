/** R16: what this process remembers of limits is bounded, and goes without timers. */

import type { LimitRule } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import { Subject } from './subject.ts'
import { SubjectTable } from './subject-table.ts'

const WINDOW_US = 1_000_000
const rule: LimitRule = {
  limiter: 'test',
  policies: [{ name: 'p', limit: 10, algorithm: 'exact', windowUs: WINDOW_US }],
  maxWaitUs: 0,
  penalty: false,
  blockUs: 0,
}

function called(table: SubjectTable, name: string, nowUs: number, cost = 1): void {
  const subject = table.get(name) ?? new Subject()
  subject.decide(rule, { key: name, cost, kind: 'take', permit: '' }, nowUs)
  table.keep(name, subject, nowUs)
}

describe('SubjectTable', () => {
  it('forgets keys that have nothing to say any more, as others are called', () => {
    const table = new SubjectTable(1_000)
    for (let i = 0; i < 500; i++) called(table, `old${i}`, 0)
    for (let i = 0; i < 400; i++) called(table, 'busy', 2 * WINDOW_US + i)
    expect(table.size).toBe(1)
  })

  it('keeps what still says something, also behind what does not', () => {
    const table = new SubjectTable(1_000)
    called(table, 'first', WINDOW_US)
    for (let i = 0; i < 50; i++) called(table, `old${i}`, 0)
    for (let i = 0; i < 100; i++) called(table, 'busy', WINDOW_US + 1)
    expect(table.get('first')).toBeDefined()
    expect(table.size).toBe(2)
  })

  it('beyond its most keys forgets who has not called for longest', () => {
    const table = new SubjectTable(3)
    for (const name of ['a', 'b', 'c', 'a', 'd']) called(table, name, 0)
    expect(['a', 'b', 'c', 'd'].map((name) => table.get(name) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ])
  })

  it('beyond its most numbers too, whatever the number of keys', () => {
    const table = new SubjectTable(1_000, 100)
    for (let i = 0; i < 50; i++) called(table, `k${i}`, 0, 10)
    expect(table.size).toBeLessThan(10)
    expect(table.get('k49')).toBeDefined()
  })

  it('keeps one that is larger than all room', () => {
    const table = new SubjectTable(10, 5)
    called(table, 'a', 0, 10)
    expect(table.size).toBe(1)
  })

  it('is empty after clear', () => {
    const table = new SubjectTable(10)
    called(table, 'a', 0)
    table.clear()
    expect(table.size).toBe(0)
  })
})
