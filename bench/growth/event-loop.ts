/** For how long does work on values of a megabyte keep the event loop from everything else? */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { managerFor } from './kit.ts'
import { payloadOf } from './payloads.ts'

export interface LoopDelay {
  readonly name: string
  readonly p50Ms: number
  readonly p90Ms: number
}

const MEGABYTE = 1_000_000
/** How often the loop is looked at. Timers of a millisecond: an idle loop shows about that, and nothing shorter is seen. */
const RESOLUTION_MS = 1

/** The longest time between two looks at the loop, for each write or read of a value; and for an idle loop. */
export async function loopDelays(url: string, times: number): Promise<readonly LoopDelay[]> {
  const value = payloadOf(MEGABYTE)
  await using plain = managerFor('bench-loop', { url })
  await using packed = managerFor('bench-loop-packed', { url, isCompressed: true })
  const [cache, smaller] = [plain.cache('values'), packed.cache('values')]
  await Promise.all([cache.set('k', value), smaller.set('k', value)])
  const text = JSON.stringify(value)
  return [
    await delayOf('idle', times, () => sleep(10)),
    await delayOf('JSON.parse alone, for comparison', times, async () => JSON.parse(text)),
    await delayOf('Larder: write, encoded', times, () => cache.set('k', value)),
    await delayOf('Larder: read, decoded', times, () => cache.get('k')),
    await delayOf('Larder: write, encoded and compressed', times, () => smaller.set('k', value)),
    await delayOf('Larder: read, inflated and decoded', times, () => smaller.get('k')),
  ]
}

async function delayOf(
  name: string,
  times: number,
  work: () => Promise<unknown>,
): Promise<LoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  await work()
  histogram.enable()
  const longest: number[] = []
  for (let i = 0; i < times; i++) {
    histogram.reset()
    // The first look after a reset has none before it to be compared with.
    await sleep(2 * RESOLUTION_MS)
    await work()
    // The loop is looked at by a timer; work that never let one run would not be seen.
    await sleep(2 * RESOLUTION_MS)
    longest.push(histogram.max / 1e6)
  }
  histogram.disable()
  longest.sort((a, b) => a - b)
  const at = (share: number): number => longest[Math.floor(times * share)] ?? Number.NaN
  return { name, p50Ms: at(0.5), p90Ms: at(0.9) }
}
