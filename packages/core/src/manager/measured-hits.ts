/**
 * Has hits counted by the staleness sampler. Nothing asks whether it is on: where it is, other methods take the place of those that
 * serve and report hits, so where it is off a hit runs the code that it always ran.
 */

import type { CacheParts } from '../cache/cache-parts.ts'
import type { ReadReports } from '../cache/read-reports.ts'
import type { MeasuredCache } from '../cache/staleness-sample.ts'
import type { StalenessSampler } from '../cache/staleness-sampler.ts'
import type { EngineMethodCache } from './engine-method-cache.ts'

/** Hits that take the read path. */
export function measureReports(reports: ReadReports, sampler: StalenessSampler): void {
  const report = reports.hit.bind(reports)
  reports.hit = (entry, call, tier) => {
    report(entry, call, tier)
    const { cache, cacheTag, policy } = call
    if (tier !== 'local' || !policy.remote || !sampler.isDue()) return
    const { maxStalenessMs } = policy
    sampler.take(call.address, entry, { cache, cacheTag, maxStalenessMs })
  }
}

/** Hits of decorated methods. They are found by their keys, because an argument does not tell the key to compare. */
export function measureHits(
  cache: EngineMethodCache,
  { name, cacheTag, policy, node }: CacheParts,
  sampler: StalenessSampler,
): void {
  const { local } = node
  if (local === undefined || !policy.remote) return
  const measured: MeasuredCache = { cache: name, cacheTag, maxStalenessMs: policy.maxStalenessMs }
  const hit = cache.hit.bind(cache)
  cache.hitByArgument = () => undefined
  cache.hit = (key) => {
    const answer = hit(key)
    if (answer === undefined || !sampler.isDue()) return answer
    const address = node.addressOf(cache.fullKey(key))
    const entry = local.peek(address.key)
    if (entry !== undefined) sampler.take(address, entry, measured)
    return answer
  }
}
