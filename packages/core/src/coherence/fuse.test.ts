import { expect, it } from 'vitest'
import { Fuse } from './fuse.ts'

const FREE = 30

it('lets real trouble through, however often servers fail over within a minute', () => {
  const fuse = new Fuse()
  for (let n = 0; n < FREE; n++) expect(fuse.admits(n)).toBe(true)
})

it('lets what feeds itself through ever more seldom', () => {
  const fuse = new Fuse()
  const admitted: number[] = []
  for (let now = 0; now < 600_000; now += 200) if (fuse.admits(now)) admitted.push(now)
  const first = admitted.findIndex((at) => at >= 60_000)
  expect(first).toBeLessThan(FREE + 10)
  expect(admitted.length - first).toBeLessThan(20)
})

it('forgets everything after a calm minute', () => {
  const fuse = new Fuse()
  for (let n = 0; n < FREE; n++) fuse.admits(0)
  expect(fuse.admits(1)).toBe(false)
  expect([fuse.admits(60_000), fuse.admits(60_001)]).toEqual([true, true])
})
