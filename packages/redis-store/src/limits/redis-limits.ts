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
import { Backend, type TroubleListener } from '../backend.ts'
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import { limitsChannel } from '../key-layout.ts'
import { isClusterTarget, type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'
import { groupByKey, groupInOrder } from './group-requests.ts'
import { isAnswer, keyError, undecided } from './key-errors.ts'
import { readDecisions } from './read-decisions.ts'
import { RuleScript } from './rule-script.ts'
import { ServerCalendar } from './server-calendar.ts'

const SEPARATOR = ':'

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
  return new RedisLimits({
    backend,
    ownsBackend: true,
    isCluster: isClusterTarget(resolved.target),
  })
}

export interface RedisLimitsParts {
  readonly backend: Backend
  /** Closes the backend with itself. */
  readonly ownsBackend: boolean
  /** The keys of one script then have to be of one hash tag. */
  readonly isCluster: boolean
  /** What a test says the server's clock is, µs. */
  readonly nowUs?: (() => number) | undefined
}

export class RedisLimits implements RateLimitProvider {
  readonly name = 'redis'
  readonly capabilities: RateLimitCapabilities = { shared: true }
  listener: FreedListener | undefined
  readonly #parts: RedisLimitsParts
  readonly #scripts = new WeakMap<LimitRule, RuleScript>()
  #namespace: string | undefined
  #isListening = false
  readonly #calendar = new ServerCalendar()

  constructor(parts: RedisLimitsParts) {
    this.#parts = parts
  }

  onTrouble(listener: TroubleListener): void {
    this.#parts.backend.onTrouble = listener
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.#parts.backend.open(namespace, 'limits')
  }

  whenTried(): Promise<void> {
    return this.#parts.backend.whenTried()
  }

  async decide(rule: LimitRule, requests: readonly LimitRequest[]): Promise<readonly LimitReply[]> {
    this.#listen()
    const script = this.#scriptOf(rule)
    const groups = this.#parts.isCluster ? groupByKey(requests) : groupInOrder(requests)
    const [first] = groups
    if (groups.length === 1 && first !== undefined) return this.#decideGroup(script, first)
    const replies = await Promise.allSettled(
      groups.map((group) => this.#decideGroup(script, group)),
    )
    const unanswered = replies.find((reply) => reply.status === 'rejected')
    if (unanswered !== undefined && replies.every(({ status }) => status === 'rejected'))
      throw unanswered.reason
    const replyTo = new Map<LimitRequest, LimitReply>()
    for (const [g, group] of groups.entries()) {
      const reply = replies[g]
      for (const [i, request] of group.entries()) {
        const found = reply?.status === 'fulfilled' ? reply.value[i] : undecided(reply?.reason)
        if (found !== undefined) replyTo.set(request, found)
      }
    }
    return requests.map((request) => replyTo.get(request) as LimitReply)
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
        keys: script.stateKeys(this.#openNamespace, key),
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
        keys: script.leaseKeys(this.#openNamespace, key),
        args: [this.#clock, script.leases, cost, permit],
      })
      return isHeld === 1
    })
    return Promise.all(renewals)
  }

  async reset(rule: LimitRule, key: string): Promise<void> {
    await this.#run({
      script: 'limitReset',
      keys: this.#scriptOf(rule).allKeys(this.#openNamespace, key),
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
        keys: script.stateKeys(this.#openNamespace, key),
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
      keys: [this.#scriptOf(rule).blockKey(this.#openNamespace, key)],
      args: [this.#clock, us, ...this.#news(rule, key)],
    })
  }

  async close(): Promise<void> {
    this.listener = undefined
    if (this.#namespace !== undefined && this.#isListening)
      this.#parts.backend.subscriber.forget(this.#channel)
    if (this.#parts.ownsBackend) await this.#parts.backend.close()
  }

  get #openNamespace(): string {
    if (this.#namespace === undefined) throw new Error('The Redis limits are not open')
    return this.#namespace
  }

  get #channel(): string {
    return limitsChannel(this.#openNamespace, this.#parts.backend.database)
  }

  get #clock(): number | string {
    return this.#parts.nowUs?.() ?? ''
  }

  /** Where and how everybody is told that something of a key was given back. */
  #news({ limiter }: LimitRule, key: string): readonly [channel: string, message: string] {
    return [this.#channel, limiter + SEPARATOR + key]
  }

  /** @throws StoreKeyError for what the server answers */
  async #run(call: ScriptCall): Promise<readonly unknown[]> {
    try {
      return await this.#parts.backend.run(call)
    } catch (error) {
      throw isAnswer(error) ? keyError(`limits.${call.script}`, error) : error
    }
  }

  /** One script call for all of them. What the server answers instead of deciding is each one's failure. */
  async #decideGroup(
    script: RuleScript,
    requests: readonly LimitRequest[],
  ): Promise<readonly LimitReply[]> {
    const keys: string[] = []
    const calls: string[] = []
    for (const request of requests) {
      script.pushDecisionKeys(keys, this.#openNamespace, request.key)
      calls.push(wordOf(request))
    }
    try {
      return await this.#calendar.reached(async () => {
        const reply = await this.#runDecision(script, keys, calls)
        const policies = script.rule.policies.length
        const { nowUs, replies } = readDecisions(reply, requests.length, policies)
        return { answer: replies, nowUs }
      })
    } catch (error) {
      if (!isAnswer(error)) throw error
      return requests.map(() => undecided(error))
    }
  }

  async #runDecision(
    script: RuleScript,
    keys: readonly string[],
    calls: readonly string[],
  ): Promise<unknown> {
    const { decision } = script
    const { backend } = this.#parts
    if (backend.client === undefined) await backend.connected('limitDecide')
    if (decision.kind === 'any') {
      const rule = script.at(this.#calendar.serverUs)
      return backend.scripts.run({
        script: 'limitDecide',
        keys,
        args: [this.#clock, rule, ...calls],
      })
    }
    const costs = calls.every((call) => call === '1') ? [] : calls
    return backend.scripts.run({
      script: decision.script,
      keys,
      args: [this.#clock, ...decision.rule, ...costs],
    })
  }

  #scriptOf(rule: LimitRule): RuleScript {
    const known = this.#scripts.get(rule)
    if (known !== undefined) return known
    const script = new RuleScript(rule)
    this.#scripts.set(rule, script)
    return script
  }

  /** From the first decision on: before, there is nothing known that could become untrue. */
  #listen(): void {
    if (this.#isListening || this.listener === undefined) return
    this.#isListening = true
    this.#parts.backend.subscriber.listen(this.#channel, {
      onPayload: (payload) => this.#heard(payload.toString('utf8')),
      onUp: () => this.listener?.onDoubt(),
      onDown: () => this.listener?.onDoubt(),
    })
  }

  #heard(message: string): void {
    const end = message.indexOf(SEPARATOR)
    this.listener?.onFreed(message.slice(0, end), message.slice(end + 1))
  }
}

/** A call as the script reads it: mostly just `1`. */
function wordOf({ cost, kind, permit }: LimitRequest): string {
  if (kind === 'peek') return `${cost}?`
  return permit === '' ? String(cost) : `${cost}:${permit}`
}
