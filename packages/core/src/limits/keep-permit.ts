/** Keeps a permit of a `concurrency` policy alive while its work runs. */

import type { Clock } from '../contracts/clock.ts'
import type { Admission, LimitRule } from '../contracts/rate-limit-provider.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import type { LimitStore } from './limit-store.ts'

/** Two tries fit before the term ends. */
const RENEWALS_PER_TERM = 3
const US_PER_MS = 1_000

const permitRules = new WeakMap<LimitRule, LimitRule>()

/** Returns the part of a rule that is about permits; the same one each time. */
export function permitsOf(rule: LimitRule): LimitRule {
  const known = permitRules.get(rule)
  if (known !== undefined) return known
  const policies = rule.policies.filter(({ algorithm }) => algorithm === 'concurrency')
  const part = { ...rule, policies }
  permitRules.set(rule, part)
  return part
}

/** Renews until the returned function is called; a permit that is lost nevertheless is not taken again. */
export function keepPermit(
  held: { readonly store: LimitStore; readonly rule: LimitRule; readonly admission: Admission },
  clock: Clock,
  work: BackgroundWork,
): () => void {
  const { store, rule, admission } = held
  const everyMs = shortestLeaseMs(rule) / RENEWALS_PER_TERM
  let isOver = false
  let cancel = (): void => undefined
  const renewLater = (): void => {
    const renew = (): void => {
      work.run('renew a permit', store.renew(rule, [admission]))
      if (!isOver) renewLater()
    }
    cancel = clock.schedule(everyMs, renew, 'background')
  }
  renewLater()
  return () => {
    isOver = true
    cancel()
  }
}

function shortestLeaseMs({ policies }: LimitRule): number {
  const leases = policies.map((policy) =>
    policy.algorithm === 'concurrency' ? policy.leaseUs / US_PER_MS : Number.POSITIVE_INFINITY,
  )
  return Math.min(...leases)
}
