/** Keeps a permit of a `concurrency` policy alive while its work runs. */

import type { Clock } from '../contracts/clock.ts'
import type { LimitRule } from '../contracts/rate-limit-provider.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import type { Receipt } from './verdict.ts'

/** Two tries fit before the term ends. */
const RENEWALS_PER_TERM = 3
const US_PER_MS = 1_000

const permitRules = new WeakMap<LimitRule, LimitRule>()

/** Returns the part of a rule that is about permits; the same one each time. */
function permitsOf(rule: LimitRule): LimitRule {
  const known = permitRules.get(rule)
  if (known !== undefined) return known
  const policies = rule.policies.filter(({ algorithm }) => algorithm === 'concurrency')
  const part = { ...rule, policies }
  permitRules.set(rule, part)
  return part
}

/**
 * Keeps the permits of an admission until the returned function is called, which gives them back. Everything else that was
 * counted stays counted.
 */
export function holdPermit(
  { store, rule, admission }: Receipt,
  clock: Clock,
  work: BackgroundWork,
): () => void {
  const permits = permitsOf(rule)
  const stopRenewing = keepPermit({ store, rule: permits, admission }, clock, work)
  return () => {
    stopRenewing()
    // No caller waits for this: where it fails, the permit ends with its term.
    work.run('give a permit back', store.refund(permits, admission))
  }
}

/** Renews until the returned function is called; a permit that is lost nevertheless is not taken again. */
function keepPermit(held: Receipt, clock: Clock, work: BackgroundWork): () => void {
  const { store, rule, admission } = held
  const everyMs = shortestTermMs(rule) / RENEWALS_PER_TERM
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

function shortestTermMs({ policies }: LimitRule): number {
  const terms = policies.map((policy) =>
    policy.algorithm === 'concurrency' ? policy.termUs / US_PER_MS : Number.POSITIVE_INFINITY,
  )
  return Math.min(...terms)
}
