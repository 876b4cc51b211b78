/** Limits on Redis. Every step is one script on the server's clock; what each does is said in lua/limit-*.lua. */

import type {
  Admission,
  FreedListener,
  LimitReply,
  LimitRequest,
  LimitRule,
  RateLimitCapabilities,
  RateLimitProvider,
} from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import { isClusterTarget, type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'
import { DecideScripts } from './decide-scripts.ts'
import { FreedChannel } from './freed-channel.ts'
import { isAnswer, keyError } from './key-errors.ts'
import { RuleScript } from './rule-script.ts'
import { ServerCalendar } from './server-calendar.ts'

/**
 * Creates a limit provider on a Redis of its own, apart from the cache's: for a server without eviction. `redisStore`
 * brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', limits: redisLimits({ url: process.env.LIMITS_URL }) })
 */
export function redisLimits(options: RedisStoreOptions): RateLimitProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved)
  return new RedisLimits({ backend, options: resolved, ownsBackend: true })
}

/** What there is once the namespace is known. */
interface Opened {
  readonly freed: FreedChannel
  readonly decisions: DecideScripts
}

export class RedisLimits extends BackedProvider implements RateLimitProvider {
  readonly capabilities: RateLimitCapabilities = { shared: true }
  listener: FreedListener | undefined
  readonly #isCluster: boolean
  readonly #scripts = new WeakMap<LimitRule, RuleScript>()
  readonly #calendar = new ServerCalendar()
  #open: Opened | undefined

  constructor(parts: BackedParts) {
    super(parts, 'limits')
    this.#isCluster = isClusterTarget(parts.options.target)
  }

  override open(namespace: string): void {
    const { backend } = this
    const isCluster = this.#isCluster
    const clock = (): number | string => this.now
    const calendar = this.#calendar
    this.#open = {
      freed: new FreedChannel(backend, namespace),
      decisions: new DecideScripts({ backend, isCluster, calendar, namespace, clock }),
    }
    super.open(namespace)
  }

  async decide(rule: LimitRule, requests: readonly LimitRequest[]): Promise<readonly LimitReply[]> {
    const { freed, decisions } = this.#opened
    // Before the first decision there is nothing known that could become untrue.
    if (this.listener !== undefined) freed.hear(() => this.listener)
    return decisions.decide(this.#scriptOf(rule), requests)
  }

  async refund(rule: LimitRule, admission: Admission): Promise<boolean> {
    const [isGivenBack] = await this.refundAll(rule, [admission])
    return isGivenBack === true
  }

  async refundAll(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]> {
    const script = this.#scriptOf(rule)
    const key = admissions[0]?.key ?? ''
    const given = admissions.flatMap(({ cost, nowUs, waitUs, permit }) => [
      cost,
      nowUs,
      waitUs,
      permit,
    ])
    const answers = await this.#calendar.reached(async () => {
      const answer = await this.run({
        script: 'limitRefund',
        keys: script.stateKeys(this.namespace, key),
        args: [this.now, script.at(this.#calendar.serverUs), ...this.#news(rule, key), ...given],
      })
      return answer[0] === -1 ? { nowUs: numberOf(answer[1]) } : { answer }
    })
    return answers.map((answer) => answer === 1)
  }

  async renew(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]> {
    const script = this.#scriptOf(rule)
    const renewals = admissions.map(async ({ key, cost, permit }) => {
      const [isHeld] = await this.run({
        script: 'limitRenew',
        keys: script.permitKeys(this.namespace, key),
        args: [this.now, script.permitPolicies, cost, permit],
      })
      return isHeld === 1
    })
    return Promise.all(renewals)
  }

  async reset(rule: LimitRule, key: string): Promise<void> {
    await this.run({
      script: 'limitReset',
      keys: this.#scriptOf(rule).allKeys(this.namespace, key),
      args: this.#news(rule, key),
    })
  }

  async adjust(
    rule: LimitRule,
    key: string,
    how: 'reward' | 'set',
    points: number,
  ): Promise<number> {
    const script = this.#scriptOf(rule)
    const answer = await this.#calendar.reached(async () => {
      const [most, now] = await this.run({
        script: 'limitAdjust',
        keys: script.stateKeys(this.namespace, key),
        args: [this.now, script.at(this.#calendar.serverUs), how, points, ...this.#news(rule, key)],
      })
      return most === -1 ? { nowUs: numberOf(now) } : { answer: numberOf(most) }
    })
    return answer
  }

  async block(rule: LimitRule, key: string, us: number): Promise<void> {
    await this.run({
      script: 'limitBlock',
      keys: [this.#scriptOf(rule).blockKey(this.namespace, key)],
      args: [this.now, us, ...this.#news(rule, key)],
    })
  }

  override async close(): Promise<void> {
    this.listener = undefined
    this.#open?.freed.close()
    await super.close()
  }

  get #opened(): Opened {
    if (this.#open === undefined) throw new Error('The provider of limits on Redis is not open')
    return this.#open
  }

  #news({ limiter }: LimitRule, key: string): readonly [channel: string, message: string] {
    return this.#opened.freed.news(limiter, key)
  }

  /** @throws StoreKeyError for what the server answers, also where it refuses: it is there, and decides */
  protected override async run(call: ScriptCall): Promise<readonly unknown[]> {
    try {
      return await this.backend.run(call)
    } catch (error) {
      throw isAnswer(error) ? keyError(`limits.${call.script}`, error) : error
    }
  }

  #scriptOf(rule: LimitRule): RuleScript {
    const known = this.#scripts.get(rule)
    if (known !== undefined) return known
    const script = new RuleScript(rule)
    this.#scripts.set(rule, script)
    return script
  }
}
