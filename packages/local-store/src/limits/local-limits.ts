/** Limits within this process, with the algorithms of the shared ones: the fallback when those cannot be asked, and their model. */

import {
  type Admission,
  assertFunction,
  assertInteger,
  assertKnownOptions,
  type FreedListener,
  type LimitReply,
  type LimitRequest,
  type LimitRule,
  type RateLimitCapabilities,
  type RateLimitProvider,
} from '@larder/core'
import { Subject } from './subject.ts'
import { SubjectTable } from './subject-table.ts'

export interface LocalLimitsOptions {
  /**
   * The most keys known at a time; beyond, the one not called for longest is forgotten, as if it had never called. 1 to
   * 10 000 000. @default 100_000
   */
  readonly maxKeys?: number | undefined
  /** Source of time, whole microseconds since the epoch; for tests. */
  readonly nowUs?: (() => number) | undefined
}

const DEFAULT_MAX_KEYS = 100_000
const MOST_KEYS = 10_000_000
const US_PER_MS = 1_000

/**
 * Creates a limit provider that counts the calls of this process only. `lruStore` brings one along.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', limits: localLimits() })
 */
export function localLimits(options: LocalLimitsOptions = {}): RateLimitProvider {
  assertKnownOptions(options, ['maxKeys', 'nowUs'], 'localLimits')
  const { maxKeys = DEFAULT_MAX_KEYS, nowUs = wallClockUs } = options
  assertInteger(maxKeys, 'localLimits.maxKeys', { min: 1, max: MOST_KEYS })
  assertFunction(nowUs, 'localLimits.nowUs')
  return new LocalLimits(maxKeys, nowUs)
}

class LocalLimits implements RateLimitProvider {
  readonly name = 'local'
  readonly capabilities: RateLimitCapabilities = { shared: false }
  listener: FreedListener | undefined
  readonly #nowUs: () => number
  readonly #subjects: SubjectTable

  constructor(maxKeys: number, nowUs: () => number) {
    this.#nowUs = nowUs
    this.#subjects = new SubjectTable(maxKeys)
  }

  open(): void {
    // The table belongs to one manager, and so to one namespace.
  }

  async decide(rule: LimitRule, requests: readonly LimitRequest[]): Promise<readonly LimitReply[]> {
    const nowUs = this.#nowUs()
    return requests.map((request) => this.#decide(rule, request, nowUs))
  }

  async refund(rule: LimitRule, { key, cost, permit, nowUs, waitUs }: Admission): Promise<boolean> {
    const taken = { cost, permit, nowUs, atUs: nowUs + waitUs }
    const subject = this.#subjects.get(nameOf(rule, key))
    const isGivenBack = subject?.refund(rule, taken, this.#nowUs()) ?? false
    if (isGivenBack) this.listener?.onFreed(rule.limiter, key)
    return isGivenBack
  }

  async renew(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]> {
    const nowUs = this.#nowUs()
    return admissions.map(({ key, cost, permit }) => {
      const subject = this.#subjects.get(nameOf(rule, key))
      return subject?.renew(rule, { cost, permit, nowUs, atUs: nowUs }, nowUs) ?? false
    })
  }

  async reset(rule: LimitRule, key: string): Promise<void> {
    this.#subjects.get(nameOf(rule, key))?.reset(rule)
    this.listener?.onFreed(rule.limiter, key)
  }

  async close(): Promise<void> {
    this.listener = undefined
    this.#subjects.clear()
  }

  #decide(rule: LimitRule, request: LimitRequest, nowUs: number): LimitReply {
    const name = nameOf(rule, request.key)
    const subject = this.#subjects.get(name) ?? new Subject()
    const { reply, isChange } = subject.decide(rule, request, nowUs)
    if (isChange) this.#subjects.keep(name, subject, nowUs)
    return reply
  }
}

function nameOf({ limiter }: LimitRule, key: string): string {
  return `${limiter}:${key}`
}

/** The wall clock as it was at the start, and monotonic from there on. */
function wallClockUs(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * US_PER_MS)
}
