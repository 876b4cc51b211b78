/**
 * The fields of draft-ietf-httpapi-ratelimit-headers, in the form of each draft that is offered. Everything that a new draft changes on
 * the wire is in this file.
 *
 * Drafts 10 and 11 write the same parameters; they differ in what `t` means for a call that was admitted. In 10 it is the time until the quota
 * resets. In 11 it is the effective window: the client should use no more than `r` within `t` seconds. A client that spreads `r` over `t`
 * must not come to a higher rate than the policy allows (section 8.5), so `t` is never shorter than `r` takes at the policy's rate.
 */

import type { CalendarPeriod } from '../contracts/rate-limit-provider.ts'
import type { PolicyUsage, RateLimitVerdict } from './verdict.ts'

/** Which draft the fields are written in. */
export type RateLimitDraft = 10 | 11

export interface FieldStyle {
  readonly draft: RateLimitDraft
  /** The parameter `pk` with its semicolon, or nothing. */
  readonly pk: string
}

const MS_PER_SECOND = 1_000
const SECONDS_PER: Readonly<Record<CalendarPeriod, number>> = {
  hour: 3_600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
}

/** `"burst";q=20;w=1`: what is allowed. */
export function policyField({ policies }: RateLimitVerdict, { pk }: FieldStyle): string {
  return policies.map((policy) => policyItem(policy) + pk).join(', ')
}

/**
 * `"burst";r=5;t=1`: what is left. For a refused call only the policy that refused is named: `Retry-After` must not be
 * earlier than any `t`, and that of another policy says nothing about when this call can succeed.
 */
export function limitField(verdict: RateLimitVerdict, { draft, pk }: FieldStyle): string {
  if (!verdict.allowed) {
    const { policy, blocked, remaining, retryAfterMs } = verdict
    // A limit of 0 has no time at which to come back.
    const t = Number.isFinite(retryAfterMs) ? secondsOf(retryAfterMs) : undefined
    return limitItem(policy, blocked ? 0 : remaining, t) + pk
  }
  return verdict.policies
    .map((policy) => limitItem(policy.name, policy.remaining, windowIn(draft, policy)) + pk)
    .join(', ')
}

/** Whole seconds, rounded up. */
export function secondsOf(ms: number): number {
  return Math.ceil(ms / MS_PER_SECOND)
}

function policyItem({ name, limit, windowMs, algorithm }: PolicyUsage): string {
  const unit = algorithm === 'concurrency' ? ';qu="concurrent-requests"' : ''
  const window = windowMs === undefined ? '' : `;w=${Math.max(1, secondsOf(windowMs))}`
  return `${quoted(name)};q=${limit}${unit}${window}`
}

function limitItem(name: string, remaining: number, seconds: number | undefined): string {
  const t = seconds === undefined ? '' : `;t=${seconds}`
  return `${quoted(name)};r=${Math.max(0, Math.floor(remaining))}${t}`
}

function windowIn(draft: RateLimitDraft, policy: PolicyUsage): number | undefined {
  return draft === 10 ? secondsOf(policy.resetMs) : effectiveWindow(policy)
}

/** Undefined where there is none: permits of `concurrency` come back when calls end, and a limit of 0 never has any. */
function effectiveWindow(policy: PolicyUsage): number | undefined {
  const { limit, remaining, resetMs, windowMs, period, algorithm } = policy
  if (algorithm === 'concurrency' || limit === 0) return undefined
  const perLimit = period === undefined ? (windowMs ?? 0) / MS_PER_SECOND : SECONDS_PER[period]
  const perPermit = perLimit / limit
  // Permits of a bucket come back one by one, so that none waits for the bucket to be full.
  if (algorithm === 'smooth') return Math.max(1, Math.ceil(Math.max(1, remaining) * perPermit))
  return Math.max(1, secondsOf(resetMs), Math.ceil(remaining * perPermit))
}

/** A String of RFC 9651; names of policies contain nothing that must be escaped. */
function quoted(text: string): string {
  return `"${text}"`
}
