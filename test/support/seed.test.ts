import { describe, expect, it } from 'vitest'
import { randomFrom, testSeed, withSeed } from './seed.ts'

describe('seeded randomness', () => {
  it('repeats itself for a seed and differs for another', () => {
    const sequence = (seed: number): number[] => {
      const random = randomFrom(seed)
      return Array.from({ length: 20 }, () => random.next())
    }
    expect(sequence(7)).toEqual(sequence(7))
    expect(sequence(7)).not.toEqual(sequence(8))
  })

  it('spreads evenly and stays in range', () => {
    const random = randomFrom(1)
    const counts = new Array<number>(10).fill(0)
    for (let round = 0; round < 10_000; round++) {
      const index = random.int(10)
      counts[index] = (counts[index] ?? Number.NaN) + 1
    }
    expect(counts).toHaveLength(10)
    // A thousand each is expected; 150 off is five standard deviations.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  it('shuffles without losing anything and picks what is there', () => {
    const random = randomFrom(2)
    const list = Array.from({ length: 50 }, (_, index) => index)
    const shuffled = random.shuffle(list)
    expect(shuffled).not.toEqual(list)
    expect([...shuffled].sort((a, b) => a - b)).toEqual(list)
    expect(list).toContain(random.pick(list))
    expect(() => random.pick([])).toThrow('empty')
    expect(random.bytes(9)).toHaveLength(9)
  })

  it('takes the seed of the environment and refuses what is none', () => {
    expect(testSeed({ SEED: '42' })).toBe(42)
    expect(Number.isInteger(testSeed({}))).toBe(true)
    for (const SEED of ['x', '-1', '1.5', `${2 ** 32}`]) {
      expect(() => testSeed({ SEED })).toThrow('SEED must be a whole number')
    }
  })

  it('says in a failure which seed replays it', async () => {
    const failing = withSeed((random) => {
      throw new TypeError(`drew ${random.int(1000)}`)
    }, 5)
    const error = (await failing.catch((reason: Error) => reason)) as unknown as Error
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toBe(`drew ${randomFrom(5).int(1000)} (SEED=5 replays this)`)
    expect(error.stack).toContain('SEED=5')
    expect(await withSeed((random) => random.seed, 6)).toBe(6)
  })
})
