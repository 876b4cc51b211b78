import { expect, it } from 'vitest'
import { PutsUnderWay } from './puts-under-way.ts'

it('knows keys from when their put begins until the last of them has ended, well or badly', async () => {
  const puts = new PutsUnderWay()
  const ends: (() => void)[] = []
  const slow = (): Promise<void> => new Promise((resolve) => ends.push(resolve))
  const both = [puts.during('k', slow), puts.during('k', slow)]
  expect([puts.has('k'), puts.has('other')]).toEqual([true, false])
  ends[0]?.()
  await both[0]
  expect(puts.has('k')).toBe(true)
  ends[1]?.()
  await both[1]
  expect(puts.has('k')).toBe(false)
  const failing = puts.during('k', () => Promise.reject(new Error('failed')))
  expect(puts.has('k')).toBe(true)
  await expect(failing).rejects.toThrow('failed')
  expect(puts.has('k')).toBe(false)
})
