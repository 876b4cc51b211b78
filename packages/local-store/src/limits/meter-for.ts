/** The meter for each kind of policy. */

import type { LimitPolicy } from '@larder/core/store'
import { ConcurrencyMeter } from './concurrency-meter.ts'
import { ExactMeter } from './exact-meter.ts'
import type { Meter } from './meter.ts'
import { PeriodMeter } from './period-meter.ts'
import { SmoothMeter } from './smooth-meter.ts'
import { WindowMeter } from './window-meter.ts'

/** Makes an empty meter. It is only ever asked about policies of this algorithm. */
export function meterFor(policy: LimitPolicy): Meter {
  // A meter takes the policies of its own algorithm only, and `Meter` any; callers choose meters by the algorithm's name.
  return make(policy) as Meter
}

function make(policy: LimitPolicy): unknown {
  switch (policy.algorithm) {
    case 'exact':
      return new ExactMeter(policy)
    case 'window':
      return new WindowMeter(policy)
    case 'smooth':
      return new SmoothMeter(policy)
    case 'fixed':
    case 'calendar':
      return new PeriodMeter(policy)
    case 'concurrency':
      return new ConcurrencyMeter(policy)
  }
}
