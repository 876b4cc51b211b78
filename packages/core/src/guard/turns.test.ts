import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

describe('turns', () => {
  it('let what fits begin at once, and the rest in order as others end', () => {
    const turns = new Turns(3, () => 0)
    const begun: string[] = []
    turns.take(2, () => begun.push('a'))
    turns.take(1, () => begun.push('b'))
    turns.take(2, () => begun.push('c'))
    turns.take(1, () => begun.push('d'))
    expect(begun).toEqual(['a', 'b'])
    turns.end(1)
    // There would be room for d, but c was here first.
    expect(begun).toEqual(['a', 'b'])
    turns.end(2)
    expect(begun).toEqual(['a', 'b', 'c', 'd'])
  })

  it('let what is heavier than all there is go alone', () => {
    const turns = new Turns(3, () => 0)
    const begun: string[] = []
    turns.take(1, () => begun.push('a'))
    turns.take(10, () => begun.push('heavy'))
    turns.take(1, () => begun.push('b'))
    turns.end(1)
    expect(begun).toEqual(['a', 'heavy'])
    turns.end(10)
    expect(begun).toEqual(['a', 'heavy', 'b'])
  })

  it('begin each in the context of whoever asked', () => {
    const turns = new Turns(1, () => 0)
    const who = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    for (const name of ['a', 'b']) {
      who.run(name, () => turns.take(1, () => seen.push(who.getStore())))
    }
    who.run('another', () => turns.end(1))
    expect(seen).toEqual(['a', 'b'])
  })

  it('begin with little, are more with quick answers, and halve when answers are slow', () => {
    let now = 0
    const turns = new Turns(512, () => now, 100)
    let begun = 0
    for (let i = 0; i < 10_000; i++) turns.take(1, () => (begun += 1))
    expect(begun).toBe(64)
    const answer = (count: number, tookMs?: number): number => {
      const before = begun
      for (let i = 0; i < count; i++) turns.end(1, tookMs)
      return begun - before
    }
    expect([answer(64, 10), answer(128, 10)]).toEqual([128, 256])
    expect([answer(256, 10), answer(512, 30), answer(512)]).toEqual([512, 512, 512])
    // Of those that were sent together, the first that is slow says it for all.
    expect(answer(512, 50)).toBe(256)
    now = 60
    expect([answer(256, 30), answer(200, 60)]).toEqual([256, 72])
  })

  it('take a hundred thousand that all fail at once, and forget them', () => {
    const turns = new Turns(1, () => 0)
    let begun = 0
    turns.take(1, () => {})
    for (let i = 0; i < 100_000; i++) {
      turns.take(1, () => {
        begun += 1
        turns.end(1)
      })
    }
    turns.end(1)
    expect(begun).toBe(100_000)
    turns.take(1, () => (begun += 1))
    expect(begun).toBe(100_001)
  })

  it('tell who has waited long enough that it is overdue, and let go on who has not', () => {
    let now = 0
    const turns = new Turns(1, () => now)
    const begun: string[] = []
    const take = (name: string): void =>
      turns.take(1, (isOverdue) => begun.push(isOverdue ? `${name} overdue` : name))
    take('a')
    take('b')
    now = 100
    take('c')
    now = 250
    turns.giveUp(250)
    expect(begun).toEqual(['a', 'b overdue'])
    turns.end(1)
    turns.end(1)
    expect(begun).toEqual(['a', 'b overdue', 'c'])
  })
})
