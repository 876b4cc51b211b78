/** `caches.limiter(…)`: asks whether a call is within its limits, and counts it. */

import { INTERNALS } from '../contracts/internals.ts'
import { RateLimitedError } from '../errors/rate-limit-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'
import { assertFunction } from '../options/assert-option.ts'
import type { Duration } from '../options/duration.ts'
import {
  assertConsumeOptions,
  type ConsumeOptions,
  NO_OPTIONS,
  RUN_NAMES,
  type RunOptions,
} from './consume-options.ts'
import { KeyChanges } from './key-changes.ts'
import { type CallParts, LimitCalls } from './limit-calls.ts'
import type { LimitVariant, LimitVariants } from './limit-variants.ts'
import type { ResolvedLimiterOptions } from './resolve-limiter.ts'
import { assertVerdict, type RateLimitVerdict } from './verdict.ts'

export interface LimiterParts extends CallParts {
  readonly settings: ResolvedLimiterOptions
  readonly variants: LimitVariants
}

export class Limiter {
  /** Limiters of one name share what they count. */
  readonly name: string
  /** For decorators and integrations. */
  readonly [INTERNALS] = {
    hold: <Result>(verdict: RateLimitVerdict, work: () => Promise<Result>): Promise<Result> =>
      this.#calls.hold(verdict, work),
    giveBack: (verdict: RateLimitVerdict, isFree?: () => unknown): Promise<void> =>
      this.#calls.giveBack(verdict, isFree),
  }
  readonly #parts: LimiterParts
  readonly #calls: LimitCalls
  readonly #changes: KeyChanges

  /** Use `caches.limiter`. */
  constructor(parts: LimiterParts) {
    const { rule } = parts.variants.any.decisions
    this.name = rule.limiter
    this.#parts = parts
    this.#calls = new LimitCalls(parts, rule, parts.settings.dryRun)
    this.#changes = new KeyChanges(this.name, parts)
  }

  /**
   * Counts a call of `key` if all policies allow it, after its turn has come where `maxWait` lets it wait. A refused call
   * is not an error and is not counted (unless with `penalty`).
   *
   * Permits of a `concurrency` policy end with their term (the option `lease`), or with `refund`; see `run`.
   *
   * @throws RateLimitUnavailableError when the store cannot decide and `onStoreError` is `'closed'`; InvalidOptionError for a
   *   cost that is above a limit; the signal's reason; ClosedError
   * @example const { allowed, retryAfterMs } = await limiter.consume('ip:1.2.3.4')
   */
  consume(key: Key, cost = 1, options: ConsumeOptions = NO_OPTIONS): Promise<RateLimitVerdict> {
    try {
      if (options !== NO_OPTIONS) assertConsumeOptions(options, `limiter(${this.name}).consume`)
      const text = keyText(key)
      this.#parts.closing.throwIfAborted()
      if (this.#isOff) return Promise.resolve(this.#off(text))
      const call = { key: text, cost, signal: options.signal }
      const variant = this.#variantFor(text, options)
      if (isThenable(variant)) return variant.then((found) => this.#calls.take(found, call))
      return this.#calls.take(variant, call)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Runs `work` if the call is allowed. Permits of a `concurrency` policy are held while it runs.
   *
   * @throws RateLimitedError when the limit is used up; as `consume`; what the work throws
   * @example await limiter.run('tenant:7', () => importFile(file))
   */
  async run<Result>(
    key: Key,
    work: (verdict: RateLimitVerdict) => Promise<Result> | Result,
    options: RunOptions = NO_OPTIONS,
  ): Promise<Result> {
    assertFunction(work, 'limiter.run.work')
    assertConsumeOptions(options, `limiter(${this.name}).run`, RUN_NAMES)
    const { cost = 1, ...call } = options
    const verdict = await this.consume(key, cost, call)
    if (!verdict.allowed) throw new RateLimitedError(keyText(key), verdict)
    return this.#calls.hold(verdict, async () => work(verdict))
  }

  /**
   * Returns what `consume` would return now, and counts nothing; with a cost of 0, what is left.
   *
   * @throws as `consume`
   */
  async peek(key: Key, cost = 1, options: ConsumeOptions = NO_OPTIONS): Promise<RateLimitVerdict> {
    if (options !== NO_OPTIONS) assertConsumeOptions(options, `limiter(${this.name}).peek`)
    const text = keyText(key)
    this.#parts.closing.throwIfAborted()
    if (this.#isOff) return this.#off(text)
    return this.#calls.look(await this.#variantFor(text, options), text, cost)
  }

  /**
   * Takes an allowed call back as if it had never happened, because it cost nothing in the end. Once per verdict.
   *
   * @returns false when there is nothing left to give back: the window is over, or (`smooth`) other calls came since.
   */
  async refund(verdict: RateLimitVerdict): Promise<boolean> {
    assertVerdict(verdict, `limiter(${this.name}).refund.verdict`)
    return this.#calls.refund(verdict)
  }

  /** Forgets all calls of a key, and blocks of it. @throws when the store is away */
  async reset(key: Key): Promise<void> {
    await this.#changes.reset(key)
  }

  /**
   * Makes a key admit nothing for so long, in all processes, whatever its limit says; 0 ends a block, also one that a refusal
   * began.
   *
   * @throws InvalidOptionError; when the store is away, and then the block applies to this process alone until the store is back
   * @example await limiter.block('ip:1.2.3.4', '15m')
   */
  async block(key: Key, time: Duration): Promise<void> {
    await this.#changes.block(key, time)
  }

  /**
   * Gives points back without the verdicts they were counted with: the latest ones, in every policy. Permits of
   * `concurrency` belong to running calls, and stay.
   *
   * @returns how many points could be given back, in the policy with the most
   * @throws InvalidOptionError; when the store is away
   * @example await login.reward('ann', 3) // she got it right
   */
  reward(key: Key, points = 1, options: ConsumeOptions = NO_OPTIONS): Promise<number> {
    return this.#changes.adjust(key, { how: 'reward', points }, options)
  }

  /**
   * Makes every policy count exactly this much, from now on, as far as it can; `peek(key, 0)` reads. Blocks stay, and so
   * do permits of `concurrency`.
   *
   * @returns how much that is, in the policy with the most
   * @throws InvalidOptionError; when the store is away
   */
  set(key: Key, points: number, options: ConsumeOptions = NO_OPTIONS): Promise<number> {
    return this.#changes.adjust(key, { how: 'set', points }, options)
  }

  get #isOff(): boolean {
    return this.#parts.settings.enabled?.() === false
  }

  #off(key: string): RateLimitVerdict {
    return this.#calls.unasked(key, this.#parts.variants.any.decisions.rule, 'off')
  }

  #variantFor(key: string, { args, self }: ConsumeOptions): LimitVariant | Promise<LimitVariant> {
    const { variants } = this.#parts
    return variants.isLookedUp ? variants.find({ self, args: args ?? [key] }) : variants.any
  }
}
