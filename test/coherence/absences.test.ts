/** "The source has nothing" is a result like any other: it is loaded once for all nodes. */

import { expect, it } from 'vitest'
import { startPair } from '../support/nodes.ts'

it.each([true, false])(
  'an absence is loaded once by callers of two nodes who ask at once, and not again (local tier: %s)',
  async (local) => {
    const [a, b] = await startPair({ policy: { negativeTtl: '1h', leaseWait: '20s', local } })
    const [ofA, ofB] = [a, b].map(({ caches }) => caches.cache<string | null>('c'))
    if (ofA === undefined || ofB === undefined) throw new Error('Two nodes were started')
    const loads = new Map<string, number>()
    const read = (key: string) => {
      const load = async (): Promise<null> => {
        loads.set(key, (loads.get(key) ?? 0) + 1)
        return null
      }
      return Promise.all([ofA, ofB, ofA].map((cache) => cache.getOrLoad(key, load)))
    }
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)
    for (const key of [...keys, ...keys]) expect(await read(key)).toEqual([null, null, null])
    expect(keys.map((key) => loads.get(key))).toEqual(keys.map(() => 1))
  },
)
