import { expect, it } from 'vitest'
import { TickBatch } from './tick-batch.ts'

it('gathers a tick into few calls, and gives each its own answer', async () => {
  const calls: number[][] = []
  const batch = new TickBatch<number, number>({
    most: 2,
    run: async (items) => {
      calls.push([...items])
      return items.map((item) => item * 2)
    },
  })
  expect(await Promise.all([1, 2, 3].map((n) => batch.add(n)))).toEqual([2, 4, 6])
  expect(calls).toEqual([[1, 2], [3]])
})

it('keeps groups apart', async () => {
  const calls: string[][] = []
  const batch = new TickBatch<string, string>({
    most: 10,
    groupOf: (item) => item.slice(0, 1),
    run: async (items) => {
      calls.push([...items])
      return items
    },
  })
  await Promise.all(['a1', 'b1', 'a2'].map((item) => batch.add(item)))
  expect(calls).toEqual([['a1', 'a2'], ['b1']])
})

it('fails those of one call together, and no others', async () => {
  const batch = new TickBatch<number, number>({
    most: 1,
    run: (items) => (items.includes(1) ? Promise.reject(new Error('no')) : Promise.resolve(items)),
  })
  const outcomes = await Promise.allSettled([batch.add(1), batch.add(2)])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
})

it('lets what is heavy go alone', async () => {
  const calls: number[][] = []
  const batch = new TickBatch<number, number>({
    most: 10,
    weightOf: (item) => item,
    run: async (items) => {
      calls.push([...items])
      return items
    },
  })
  await Promise.all([50, 4, 6, 1, 20].map((n) => batch.add(n)))
  expect(calls).toEqual([[50], [4, 6], [1], [20]])
})

it('sends a full call at once, and the rest at the end of the tick', async () => {
  const calls: [items: readonly number[], isFull: boolean][] = []
  const batch = new TickBatch<number, number>({
    most: 2,
    run: async (items, isFull) => {
      calls.push([items, isFull])
      return items
    },
  })
  const answers = [1, 2, 3].map((n) => batch.add(n))
  expect(calls).toEqual([[[1, 2], true]])
  expect(await Promise.all(answers)).toEqual([1, 2, 3])
  expect(calls).toEqual([
    [[1, 2], true],
    [[3], false],
  ])
})
