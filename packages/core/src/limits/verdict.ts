/** The answer of a limiter. */

import type {
  Admission,
  CalendarPeriod,
  LimitPolicy,
  LimitReply,
  LimitRule,
} from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { LimitStore } from './limit-store.ts'

/**
 * Where the decision comes from: `remote`, the shared store; `known`, an earlier refusal of the shared store that still holds, or a
 * limit of 0; `local`, this process alone; `open`, no store could be asked; `off`, the limiter is switched off.
 */
export type VerdictSource = 'remote' | 'known' | 'local' | 'open' | 'off'

/** The state of one policy. */
export interface PolicyUsage {
  readonly name: string
  readonly limit: number
  readonly remaining: number
  /** How long until all of `limit` is available again if no call takes any, ms. */
  readonly resetMs: number
  /** The window, ms; absent for a period of the calendar and for `concurrency`. */
  readonly windowMs: number | undefined
  /** The period of the calendar, where it counts by one. */
  readonly period: CalendarPeriod | undefined
  readonly algorithm: LimitPolicy['algorithm']
}

/** The outcome of one call under a limiter. */
export interface RateLimitVerdict {
  /** Whether the call may proceed. */
  readonly allowed: boolean
  /** The same as `allowed`, but as it would be without `dryRun`. */
  readonly withinLimit: boolean
  /** Refused because the key is blocked (the option `block`, or `limiter.block`), and not only because the limit is used up. */
  readonly blocked: boolean
  /** The policy that refused, or else the one with the smallest fraction left. */
  readonly policy: string
  /** Of that policy. */
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
  /**
   * Refused: after how long the same call can succeed, whole ms, rounded up. Infinity where it never can: a limit of 0, or
   * a cost above a limit that was looked up. 0 when allowed.
   */
  readonly retryAfterMs: number
  /** How long the call waited for its turn, ms. */
  readonly waitedMs: number
  readonly source: VerdictSource
  /** All policies, in order. */
  readonly policies: readonly PolicyUsage[]
}

/** What is needed to give an admission back. */
export interface Receipt {
  readonly admission: Admission
  readonly rule: LimitRule
  readonly store: LimitStore
}

const US_PER_MS = 1_000

/** How a reply came about. */
export interface ReplyContext {
  readonly source: VerdictSource
  readonly dryRun: boolean
  /** How old the reply is, ms. */
  readonly elapsedMs: number
  /** What the call costs. */
  readonly cost: number
}

/** A reply in the words of the user. */
export function verdictOf(rule: LimitRule, reply: LimitReply, how: ReplyContext): RateLimitVerdict {
  return new Verdict(rule, reply, how)
}

/** A verdict without a decision: the store could not be asked, or the limiter is off. */
export function unaskedVerdict(rule: LimitRule, source: 'open' | 'off'): RateLimitVerdict {
  const states = rule.policies.map(({ limit }) => ({ remaining: limit, resetUs: 0 }))
  const reply = { admitted: true, waitUs: 0, refusedBy: -1, states, nowUs: 0 }
  return verdictOf(rule, reply, { source, dryRun: false, elapsedMs: 0, cost: 0 })
}

/** @throws InvalidOptionError unless it is a verdict, of whichever limiter; a copy of one is, and has nothing to give back */
export function assertVerdict(verdict: unknown, option: string): void {
  const { allowed, policy } = (verdict ?? {}) as Partial<Record<keyof RateLimitVerdict, unknown>>
  if (typeof allowed === 'boolean' && typeof policy === 'string') return
  throw new InvalidOptionError({ option, expected: 'a verdict of a limiter', received: verdict })
}

/** Remembers what is needed to give a verdict back. */
export function putReceipt(verdict: RateLimitVerdict, receipt: Receipt): void {
  if (verdict instanceof Verdict) verdict.receipt = receipt
}

/** Returns what is needed to give a verdict back, if it can be. */
export function receiptOf(verdict: RateLimitVerdict): Receipt | undefined {
  return verdict instanceof Verdict ? verdict.receipt : undefined
}

/** The same, once. */
export function takeReceipt(verdict: RateLimitVerdict): Receipt | undefined {
  const receipt = receiptOf(verdict)
  if (verdict instanceof Verdict) verdict.receipt = undefined
  return receipt
}

/** A class, because thousands of verdicts are made per second: the list of policies is only made when it is read. */
class Verdict implements RateLimitVerdict {
  readonly allowed: boolean
  readonly withinLimit: boolean
  readonly blocked: boolean
  readonly policy: string
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
  readonly retryAfterMs: number
  readonly waitedMs: number
  readonly source: VerdictSource
  readonly #rule: LimitRule
  readonly #reply: LimitReply
  readonly #elapsedMs: number
  /** Not in a WeakMap, which would cost as much as everything else in a verdict. */
  #receipt: Receipt | undefined

  constructor(rule: LimitRule, reply: LimitReply, how: ReplyContext) {
    const index = reply.admitted ? tightest(rule.policies, reply) : reply.refusedBy
    const policy = rule.policies[index]
    const state = reply.states[index]
    const waitMs = reply.waitUs / US_PER_MS
    this.allowed = reply.admitted || how.dryRun
    this.withinLimit = reply.admitted
    this.blocked = !reply.admitted && isBlocked(rule, reply, how.cost)
    this.policy = policy?.name ?? ''
    this.limit = policy?.limit ?? 0
    this.remaining = state?.remaining ?? 0
    this.resetMs = left(state?.resetUs ?? 0, how.elapsedMs)
    this.retryAfterMs = reply.admitted ? 0 : Math.max(0, Math.ceil(waitMs - how.elapsedMs))
    this.waitedMs = reply.admitted ? waitMs : 0
    this.source = how.source
    this.#rule = rule
    this.#reply = reply
    this.#elapsedMs = how.elapsedMs
  }

  get receipt(): Receipt | undefined {
    return this.#receipt
  }

  set receipt(receipt: Receipt | undefined) {
    this.#receipt = receipt
  }

  get policies(): readonly PolicyUsage[] {
    return this.#rule.policies.map((policy, i) => {
      const { remaining = 0, resetUs = 0 } = this.#reply.states[i] ?? {}
      const { name, limit, algorithm } = policy
      const resetMs = left(resetUs, this.#elapsedMs)
      const period = policy.algorithm === 'calendar' ? policy.period : undefined
      return { name, limit, remaining, resetMs, windowMs: windowOf(policy), period, algorithm }
    })
  }
}

/** Under a rule with `block` each refusal begins a block; elsewhere only a block refuses what every policy has room for. */
function isBlocked(
  { blockUs, policies }: LimitRule,
  { states }: LimitReply,
  cost: number,
): boolean {
  if (blockUs > 0) return true
  return policies.every(({ limit }, i) => limit > 0 && (states[i]?.remaining ?? 0) >= cost)
}

function left(us: number, elapsedMs: number): number {
  return Math.max(0, Math.ceil(us / US_PER_MS - elapsedMs))
}

function windowOf(policy: LimitPolicy): number | undefined {
  return 'windowUs' in policy ? policy.windowUs / US_PER_MS : undefined
}

function tightest(policies: readonly LimitPolicy[], { states }: LimitReply): number {
  let index = 0
  let smallest = Number.POSITIVE_INFINITY
  for (let i = 0; i < policies.length; i++) {
    const part = (states[i]?.remaining ?? 0) / (policies[i]?.limit || 1)
    if (part >= smallest) continue
    smallest = part
    index = i
  }
  return index
}
