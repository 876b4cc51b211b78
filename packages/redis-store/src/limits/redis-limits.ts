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
import { INTERNALS } from '@larder/core/store'
import { Backend, type TroubleListener } from '../backend.ts'
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import {
  isClusterTarget,
  type RedisInternals,
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from '../options.ts'
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

export interface RedisLimitsParts {
  readonly backend: Backend
  /** Closes the backend with itself. */
  readonly ownsBackend: boolean
  /** Of a Cluster: the keys of one script then have to be of one hash tag. */
  readonly options: ResolvedRedisStoreOptions
  /** What a test says the server's clock is, µs. */
  readonly nowUs?: (() => number) | undefined
}

/** What there is once the namespace is known. */
interface Opened {
  readonly namespace: string
  readonly freed: FreedChannel
  readonly decisions: DecideScripts
}

export class RedisLimits implements RateLimitProvider {
  readonly name = 'redis'
  readonly capabilities: RateLimitCapabilities = { shared: true }
  listener: FreedListener | undefined
  readonly #parts: RedisLimitsParts
  readonly #scripts = new WeakMap<LimitRule, RuleScript>()
  readonly #calendar = new ServerCalendar()
  #open: Opened | undefined

  constructor(parts: RedisLimitsParts) {
    this.#parts = parts
  }

  /** For tools. Not a field: what prints it must not print its URL. */
  get [INTERNALS](): RedisInternals {
    return { options: this.#parts.options }
  }

  onTrouble(listener: TroubleListener): void {
    this.#parts.backend.onTrouble = listener
  }

  open(namespace: string): void {
    const { backend, options } = this.#parts
    const isCluster = isClusterTarget(options.target)
    const clock = (): number | string => this.#clock
    const calendar = this.#calendar
    this.#open = {
      namespace,
      freed: new FreedChannel(backend, namespace),
      decisions: new DecideScripts({ backend, isCluster, calendar, namespace, clock }),
    }
    backend.open(namespace, 'limits')
  }

  whenTried(): Promise<void> {
    return this.#parts.backend.whenTried()
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
      const answer = await this.#run({
        script: 'limitRefund',
        keys: script.stateKeys(this.#opened.namespace, key),
        args: [this.#clock, script.at(this.#calendar.serverUs), ...this.#news(rule, key), ...given],
      })
      return answer[0] === -1 ? { nowUs: numberOf(answer[1]) } : { answer }
    })
    return answers.map((answer) => answer === 1)
  }

  async renew(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]> {
    const script = this.#scriptOf(rule)
    const renewals = admissions.map(async ({ key, cost, permit }) => {
      const [isHeld] = await this.#run({
        script: 'limitRenew',
        keys: script.permitKeys(this.#opened.namespace, key),
        args: [this.#clock, script.permitPolicies, cost, permit],
      })
      return isHeld === 1
    })
    return Promise.all(renewals)
  }

  async reset(rule: LimitRule, key: string): Promise<void> {
    await this.#run({
      script: 'limitReset',
      keys: this.#scriptOf(rule).allKeys(this.#opened.namespace, key),
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
      const [most, now] = await this.#run({
        script: 'limitAdjust',
        keys: script.stateKeys(this.#opened.namespace, key),
        args: [
          this.#clock,
          script.at(this.#calendar.serverUs),
          how,
          points,
          ...this.#news(rule, key),
        ],
      })
      return most === -1 ? { nowUs: numberOf(now) } : { answer: numberOf(most) }
    })
    return answer
  }

  async block(rule: LimitRule, key: string, us: number): Promise<void> {
    await this.#run({
      script: 'limitBlock',
      keys: [this.#scriptOf(rule).blockKey(this.#opened.namespace, key)],
      args: [this.#clock, us, ...this.#news(rule, key)],
    })
  }

  async close(): Promise<void> {
    this.listener = undefined
    this.#open?.freed.close()
    if (this.#parts.ownsBackend) await this.#parts.backend.close()
  }

  get #opened(): Opened {
    if (this.#open === undefined) throw new Error('The Redis limits are not open')
    return this.#open
  }

  get #clock(): number | string {
    return this.#parts.nowUs?.() ?? ''
  }

  #news({ limiter }: LimitRule, key: string): readonly [channel: string, message: string] {
    return this.#opened.freed.news(limiter, key)
  }

  /** @throws StoreKeyError for what the server answers */
  async #run(call: ScriptCall): Promise<readonly unknown[]> {
    try {
      return await this.#parts.backend.run(call)
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
