/** What a provider let in, and whether it kept its word. */

import type { LimitReply, LimitRule, RateLimitProvider } from '@larder/core/store'
import type { TestTime } from './providers.ts'

/** One admission: when, and how much. */
export interface Entry {
  readonly atUs: number
  readonly cost: number
}

/** Decides one call of one key. */
export async function ask(
  provider: RateLimitProvider,
  rule: LimitRule,
  cost = 1,
  { kind = 'take', key = 'k', permit = '' }: Partial<Call> = {},
): Promise<LimitReply> {
  const [reply] = await provider.decide(rule, [{ key, cost, kind, permit }])
  if (reply === undefined) throw new Error('There was no reply')
  return reply
}

interface Call {
  readonly kind: 'take' | 'peek'
  readonly key: string
  readonly permit: string
}

/** The most cost in any window (t - windowUs, t]. */
export function densestWindow(entries: readonly Entry[], windowUs: number): number {
  const sorted = [...entries].sort((a, b) => a.atUs - b.atUs)
  let densest = 0
  let sum = 0
  let oldest = 0
  // The densest window ends with an entry.
  for (const { atUs, cost } of sorted) {
    sum += cost
    while ((sorted[oldest]?.atUs ?? 0) <= atUs - windowUs) {
      sum -= sorted[oldest]?.cost ?? 0
      oldest += 1
    }
    densest = Math.max(densest, sum)
  }
  return densest
}

/** Asks as soon as it may, over and over, until a time; returns what got in. */
export async function beGreedy(
  provider: RateLimitProvider,
  rule: LimitRule,
  time: TestTime,
  untilUs: number,
): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  while (time.us < untilUs) {
    const { admitted, waitUs } = await ask(provider, rule)
    if (admitted) entries.push({ atUs: time.us + waitUs, cost: 1 })
    else time.us += waitUs
  }
  return entries
}
