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
  optionNames,
  type RateLimitCapabilities,
  type RateLimitProvider,
} from '@larder/core/store'
import { LocalProvider } from '../local-provider.ts'
import { Subject } from './subject.ts'
import { SubjectTable } from './subject-table.ts'

export interface LocalLimitsOptions {
  /**
   * The most keys known at a time; beyond, the key without calls for the longest time is forgotten, as if it had never called. 1 to
   * 10 000 000. @default 100_000
   */
  readonly maxKeys?: number | undefined
  /** Source of time, whole microseconds since the epoch; for tests. */
  readonly nowUs?: (() => number) | undefined
}

const NAMES = optionNames<LocalLimitsOptions>({ maxKeys: true, nowUs: true })
/** The defaults. */
export const LOCAL_LIMITS_DEFAULTS = { maxKeys: 100_000 } as const satisfies LocalLimitsOptions
const MOST_KEYS = 10_000_000
const US_PER_MS = 1_000

/**
 * Creates a limit provider that counts the calls of this process only, for all managers of one namespace together.
 * `lruStore` has one already.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', limits: localLimits() })
 */
export function localLimits(options: LocalLimitsOptions = {}): RateLimitProvider {
  assertKnownOptions(options, NAMES, 'localLimits')
  const { maxKeys = LOCAL_LIMITS_DEFAULTS.maxKeys, nowUs = wallClockUs } = options
  assertInteger(maxKeys, 'localLimits.maxKeys', { min: 1, max: MOST_KEYS })
  assertFunction(nowUs, 'localLimits.nowUs')
  return new LocalLimits({ maxKeys, nowUs, isOwn: options.nowUs !== undefined })
}

interface LocalLimitsParts {
  /** The first user of a namespace decides. */
  readonly maxKeys: number
  readonly nowUs: () => number
  /** It has a clock of its own. */
  readonly isOwn: boolean
}

class LocalLimits
  extends LocalProvider<SubjectTable, Pick<RateLimitProvider, 'listener'>>
  implements RateLimitProvider
{
  readonly capabilities: RateLimitCapabilities = { shared: false }
  listener: FreedListener | undefined
  readonly #nowUs: () => number

  constructor({ maxKeys, nowUs, isOwn }: LocalLimitsParts) {
    super({ kind: 'limits', isOwn, make: () => new SubjectTable(maxKeys) })
    this.#nowUs = nowUs
  }

  async decide(rule: LimitRule, requests: readonly LimitRequest[]): Promise<readonly LimitReply[]> {
    const nowUs = this.#nowUs()
    return requests.map((request) => this.#decide(rule, request, nowUs))
  }

  async refund(rule: LimitRule, { key, cost, permit, nowUs, waitUs }: Admission): Promise<boolean> {
    const taken = { cost, permit, nowUs, atUs: nowUs + waitUs }
    const now = this.#nowUs()
    const isGivenBack = this.#subjectOf(rule, key)?.refund(rule, taken, now) ?? false
    if (isGivenBack) this.#tell(rule, key)
    return isGivenBack
  }

  async renew(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]> {
    const nowUs = this.#nowUs()
    return admissions.map(({ key, cost, permit }) => {
      const taken = { cost, permit, nowUs, atUs: nowUs }
      return this.#subjectOf(rule, key)?.renew(rule, taken, nowUs) ?? false
    })
  }

  async reset(rule: LimitRule, key: string): Promise<void> {
    this.#subjectOf(rule, key)?.reset(rule)
    this.#tell(rule, key)
  }

  async adjust(
    rule: LimitRule,
    key: string,
    how: 'reward' | 'set',
    points: number,
  ): Promise<number> {
    const nowUs = this.#nowUs()
    const subject = this.#subjectOf(rule, key) ?? new Subject()
    const most =
      how === 'set' ? subject.set(rule, points, nowUs) : subject.reward(rule, points, nowUs)
    this.#subjects.keep(nameOf(rule, key), subject, nowUs)
    this.#tell(rule, key)
    return most
  }

  async block(rule: LimitRule, key: string, us: number): Promise<void> {
    const nowUs = this.#nowUs()
    const subject = this.#subjectOf(rule, key) ?? new Subject()
    subject.block(us, nowUs)
    this.#subjects.keep(nameOf(rule, key), subject, nowUs)
    this.#tell(rule, key)
  }

  override close(): Promise<void> {
    this.listener = undefined
    return super.close()
  }

  #decide(rule: LimitRule, request: LimitRequest, nowUs: number): LimitReply {
    const subjects = this.#subjects
    const name = nameOf(rule, request.key)
    const subject = subjects.get(name) ?? new Subject()
    const { reply, isChange } = subject.decide(rule, request, nowUs)
    if (isChange) subjects.keep(name, subject, nowUs)
    return reply
  }

  get #subjects(): SubjectTable {
    // Used without a manager, which would have opened it, it counts for itself.
    if (!this.isJoined) this.join()
    return this.table
  }

  #subjectOf(rule: LimitRule, key: string): Subject | undefined {
    return this.#subjects.get(nameOf(rule, key))
  }

  #tell({ limiter }: LimitRule, key: string): void {
    for (const { listener } of this.users) listener?.onFreed(limiter, key)
  }
}

function nameOf({ limiter }: LimitRule, key: string): string {
  return `${limiter}:${key}`
}

/** The wall clock as it was at the start, and monotonic from there on. */
function wallClockUs(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * US_PER_MS)
}
