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
