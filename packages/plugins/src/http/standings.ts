/** Where the limiters of a decision stand, under names that a client can tell apart. */

import type { RateLimitVerdict } from '@larder/core'

/** The verdict of one limiter. */
export interface Standing {
  readonly limiter: string
  readonly verdict: RateLimitVerdict
}

/** The name that a policy has when its user gave none. */
const NO_NAME = 'default'
/** Limiters without a name are named after their first policy. */
const MADE_NAME = /^(?:exact|window|smooth|fixed|calendar|concurrency)-/

/**
 * Returns the verdicts with names that are not taken. A client keeps what it knows by the names of policies, so an unnamed policy has
 * the name of its limiter, and no two of a response have the same.
 */
export function labelled(
  standings: readonly Standing[],
  taken: readonly string[],
): readonly RateLimitVerdict[] {
  const names = new Set(taken)
  return standings.map(({ limiter, verdict }) => {
    const labels = new Map<string, string>()
    const policies = verdict.policies.map((policy) => {
      const name = freeName(limiter, policy.name, names)
      names.add(name)
      labels.set(policy.name, name)
      return { ...policy, name }
    })
    return { ...verdict, policies, policy: labels.get(verdict.policy) ?? verdict.policy }
  })
}

function freeName(limiter: string, policy: string, taken: ReadonlySet<string>): string {
  const isUnnamed = policy === NO_NAME
  const short = isUnnamed && !MADE_NAME.test(limiter) ? limiter : policy
  const long = isUnnamed ? limiter : `${limiter}.${policy}`
  for (const name of [short, long]) if (!taken.has(name)) return name
  let count = 2
  while (taken.has(`${long}.${count}`)) count += 1
  return `${long}.${count}`
}

/** Returns the verdict with the smaller part left; of equal ones, the later. */
export function tighter(
  before: RateLimitVerdict | null | undefined,
  later: RateLimitVerdict | null | undefined,
): RateLimitVerdict | undefined {
  if (!before || !later) return later ?? before ?? undefined
  return partLeft(before) < partLeft(later) ? before : later
}

/** The verdict with the smallest part left. */
export function tightest(standings: readonly Standing[]): RateLimitVerdict | undefined {
  return standings.reduce<RateLimitVerdict | undefined>(
    (before, { verdict }) => tighter(before, verdict),
    undefined,
  )
}

function partLeft({ remaining, limit }: RateLimitVerdict): number {
  return remaining / (limit || 1)
}
