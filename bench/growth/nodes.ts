/** What does an eviction cost, for who evicts and until the last node has heard, by the number of nodes? */

import type { CacheManager } from '@larder/core'
import { type Growth, managerFor, type Point } from './kit.ts'

const WARM_UP = 20
/** A node that is still subscribing gets no message: it finds out otherwise, which is not what is timed here. */
const UNHEARD_MS = 1_000

/** The nodes share this process and its loop, so that the last one hears later here than on machines of their own. */
export async function byNodes(
  url: string,
  counts: readonly number[],
  times: number,
): Promise<Growth> {
  const points: Point[] = []
  for (const count of counts) {
    const nodes = Array.from({ length: count }, () =>
      managerFor(`bench-nodes-${count}`, { local: 1_000, url }),
    )
    const { evictMs, heardMs } = await evictions(nodes, times)
    const size = count === 1 ? '1 node' : `${count} nodes`
    points.push({ series: 'Larder, evict returns', size, ns: evictMs * 1e6 })
    if (count > 1) points.push({ series: 'Larder, all have heard', size, ns: heardMs * 1e6 })
    await Promise.all(nodes.map((node) => node.close()))
  }
  return { id: 'growth-nodes', title: 'Time of an eviction, median, by nodes', points }
}

async function evictions(
  nodes: readonly CacheManager[],
  times: number,
): Promise<{ readonly evictMs: number; readonly heardMs: number }> {
  const caches = nodes.map((node) => node.cache<string>('c'))
  const evictTimes: number[] = []
  const heardTimes: number[] = []
  for (let n = -WARM_UP; n < times; n++) {
    for (const cache of caches) await cache.getOrLoad('k', async () => `${n}`)
    const begun = performance.now()
    const hearing = nodes.slice(1).map((node) => heardBy(node, begun))
    await caches[0]?.evict('k')
    const evictMs = performance.now() - begun
    const heardMs = await Promise.all(hearing)
    if (n < 0) continue
    evictTimes.push(evictMs)
    if (heardMs.every((ms) => ms < UNHEARD_MS)) heardTimes.push(Math.max(...heardMs))
  }
  return { evictMs: median(evictTimes), heardMs: median(heardTimes) }
}

function heardBy(node: CacheManager, begun: number): Promise<number> {
  return new Promise((resolve) => {
    const heard = (): void => {
      end()
      clearTimeout(timer)
      resolve(performance.now() - begun)
    }
    const end = node.on('invalidate', heard)
    const timer = setTimeout(heard, UNHEARD_MS)
  })
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
