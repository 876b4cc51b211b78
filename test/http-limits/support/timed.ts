/** Managers whose limits are kept under a clock that a test owns: in this process, and by the scripts on Redis. */

import { type CacheManager, createCacheManager } from '@larder/core'
import type { RateLimitProvider } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { localLimits } from '@larder/local-store'
import { onTestFinished } from 'vitest'
import { makeRedisLimits, TestTime } from '../../limits/support/providers.ts'
import { freshNamespace } from '../../support/nodes.ts'

const US_PER_MS = 1_000

/** The clock of the store and that of the managers, which pass together. The store's can be set, as that of a machine. */
export class StageTime {
  readonly store = new TestTime()
  readonly clock = new ManualClock()

  pass(ms: number): void {
    this.store.us += ms * US_PER_MS
    this.clock.advance(ms)
  }

  /** Sets the store's clock back. */
  setBack(ms: number): void {
    this.store.us -= ms * US_PER_MS
  }
}

/** A manager that counts with a provider; closed with the test. */
export function managerOn(
  limits: RateLimitProvider,
  { clock }: StageTime,
  namespace = freshNamespace(),
): CacheManager {
  const caches = createCacheManager({ namespace, limits, clock, default: false, logger: false })
  onTestFinished(() => caches.close())
  return caches
}

/** Providers by where they keep what they count. */
export const TIMED_STORES: readonly (readonly [
  name: string,
  open: (time: StageTime) => RateLimitProvider,
])[] = [
  ['in process', ({ store }) => localLimits({ nowUs: store.read })],
  ['Redis', ({ store }) => makeRedisLimits(store)],
]
