import { describe, expect, it } from 'vitest'
import { deferred, eventually } from './eventually.ts'

describe('waiting for a condition', () => {
  it('gives the first truthy result and takes throws for "not yet"', async () => {
    let asked = 0
    const value = await eventually('it is there', async () => {
      asked += 1
      if (asked < 3) throw new Error('not there')
      return asked < 15 ? undefined : `after ${asked}`
    })
    expect(value).toBe('after 15')
  })

  it('says what it waited for and what came last', async () => {
    const cause = new RangeError('still cold')
    const throws = eventually('the oven is hot', () => Promise.reject(cause), 30)
    await expect(throws).rejects.toThrow(
      'Waited 30 ms in vain until the oven is hot; last: RangeError: still cold',
    )
    await expect(throws).rejects.toHaveProperty('cause', cause)
    await expect(eventually('it counts', () => 0, 30)).rejects.toThrow('last: result 0')
  })

  it('keeps its bound when the condition itself hangs', async () => {
    await expect(eventually('it answers', () => new Promise(() => {}), 30)).rejects.toThrow(
      'never answered',
    )
  })

  it('asks once more at least, however short the bound is', async () => {
    expect(await eventually('it holds', () => true, 0)).toBe(true)
  })
})

describe('a deferred promise', () => {
  it('is settled from outside', async () => {
    const kept = deferred<number>()
    const broken = deferred()
    kept.resolve(1)
    broken.reject(new Error('no'))
    expect(await kept.promise).toBe(1)
    await expect(broken.promise).rejects.toThrow('no')
  })
})
