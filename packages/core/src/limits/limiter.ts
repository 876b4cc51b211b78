/** `caches.limiter(…)`: asks whether a call is within its limits, and counts it. */

import type { Clock } from '../contracts/clock.ts'
import { INTERNALS } from '../contracts/internals.ts'
import { RateLimitedError } from '../errors/rate-limit-error.ts'
import type { Emitter } from '../events/emitter.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'
import { linkSignals } from '../lifecycle/link-signals.ts'
import { assertFunction } from '../options/assert-option.ts'
import type { Duration } from '../options/duration.ts'
import { awaitTurn } from './await-turn.ts'
import { assertCost } from './capacity.ts'
import {
  assertConsumeOptions,
  type ConsumeOptions,
  NO_OPTIONS,
  RUN_NAMES,
  type RunOptions,
} from './consume-options.ts'
import type { Decided } from './decisions.ts'
import { keepPermit, permitsOf } from './keep-permit.ts'
import { KeyChanges } from './key-changes.ts'
import type { LimitVariant, LimitVariants } from './limit-variants.ts'
import {
  assertVerdict,
  putReceipt,
  type RateLimitVerdict,
  receiptOf,
  takeReceipt,
  unaskedVerdict,
  verdictOf,
} from './verdict.ts'

export interface LimiterParts {
  readonly variants: LimitVariants
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly closing: AbortSignal
  /** Names a permit of `concurrency` policies like no other. */
  nextPermit(): string
  /** Tells this process's limiters what the store tells the others. */
  freed(limiter: string, key: string): void
}

export class Limiter {
  /** Limiters of one name share what they count. */
  readonly name: string
  /** For decorators. */
  readonly [INTERNALS] = {
    hold: <Result>(verdict: RateLimitVerdict, work: () => Promise<Result>): Promise<Result> =>
      this.#hold(verdict, work),
  }
  readonly #parts: LimiterParts
  readonly #hasPermits: boolean
  readonly #changes: KeyChanges

  /** Use `caches.limiter`. */
  constructor(parts: LimiterParts) {
    const { rule } = parts.variants.any.limiter
    this.name = rule.limiter
    this.#parts = parts
    this.#changes = new KeyChanges(this.name, parts)
    this.#hasPermits = rule.policies.some(({ algorithm }) => algorithm === 'concurrency')
  }

  /**
   * Counts a call of `key` if all policies allow it, after its turn has come where `maxWait` lets it wait. A refused call
   * is no error and counts nowhere (unless with `penalty`).
   *
   * Permits of a `concurrency` policy end with their lease, or with `refund`; see `run`.
   *
   * @throws RateLimitUnavailableError when the store cannot say and `onStoreError` is `'closed'`; InvalidOptionError for a
   *   cost that is above a limit; the signal's reason; ClosedError
   * @example const { allowed, retryAfterMs } = await limiter.consume('ip:1.2.3.4')
   */
  consume(key: Key, cost = 1, options: ConsumeOptions = NO_OPTIONS): Promise<RateLimitVerdict> {
    try {
      if (options !== NO_OPTIONS) assertConsumeOptions(options, `limiter(${this.name}).consume`)
      const text = keyText(key)
      this.#parts.closing.throwIfAborted()
      if (this.#isOff) return Promise.resolve(this.#unasked(text, 'off'))
      const variant = this.#variantFor(text, options)
      if (isThenable(variant)) {
        return variant.then((found) => this.#consume(found, text, cost, options.signal))
      }
      return this.#consume(variant, text, cost, options.signal)
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
    return this.#hold(verdict, async () => work(verdict))
  }

  /**
   * Says what `consume` would say now, and counts nothing; with a cost of 0, what is left.
   *
   * @throws as `consume`
   */
  async peek(key: Key, cost = 1, options: ConsumeOptions = NO_OPTIONS): Promise<RateLimitVerdict> {
    if (options !== NO_OPTIONS) assertConsumeOptions(options, `limiter(${this.name}).peek`)
    const text = keyText(key)
    this.#parts.closing.throwIfAborted()
    if (this.#isOff) return this.#unasked(text, 'off')
    const variant = await this.#variantFor(text, options)
    assertCost(cost, variant.capacity, this.name)
    const { limiter, decisions } = variant
    const closed = decisions.closed(cost)
    if (closed !== undefined) return this.#worded(closed)
    const answer = await decisions.ask({ key: text, cost, kind: 'peek', permit: '' })
    return answer.kind === 'open' ? unaskedVerdict(limiter.rule, 'open') : this.#worded(answer)
  }

  /**
   * Takes an allowed call back as if it had never been: it turned out to cost nothing. Once a verdict.
   *
   * @returns false when there is nothing to give back any more: the window is over, or (`smooth`) others came since.
   */
  async refund(verdict: RateLimitVerdict): Promise<boolean> {
    assertVerdict(verdict, `limiter(${this.name}).refund.verdict`)
    const receipt = takeReceipt(verdict)
    if (receipt === undefined) return false
    const { store, rule, admission } = receipt
    this.#parts.freed(this.name, admission.key)
    const isGivenBack = await store.refund(rule, admission)
    this.#parts.freed(this.name, admission.key)
    return isGivenBack
  }

  /** Forgets all calls of a key, and blocks of it. @throws when the store is away */
  async reset(key: Key): Promise<void> {
    await this.#changes.reset(key)
  }

  /**
   * Has a key admit nothing for so long, in all processes, whatever its limit says; 0 ends a block, also one that a refusal
   * began.
   *
   * @throws InvalidOptionError; when the store is away, and then this process alone keeps to it while the store stays so
   * @example await limiter.block('ip:1.2.3.4', '15m')
   */
  async block(key: Key, time: Duration): Promise<void> {
    await this.#changes.block(key, time)
  }

  /**
   * Gives points back without the verdicts they were counted with: the latest ones, in every policy. Permits of
   * `concurrency` belong to somebody, and stay.
   *
   * @returns how many there were to give back, in the policy with the most
   * @throws InvalidOptionError; when the store is away
   * @example await login.reward('ann', 3) // she got it right
   */
  reward(key: Key, points = 1, options: ConsumeOptions = NO_OPTIONS): Promise<number> {
    return this.#changes.adjust(key, 'reward', points, options)
  }

  /**
   * Has every policy count exactly this much, from now on, as far as it can count; `peek(key, 0)` reads. Blocks stay, and so
   * do permits of `concurrency`.
   *
   * @returns how much that is, in the policy with the most
   * @throws InvalidOptionError; when the store is away
   */
  set(key: Key, points: number, options: ConsumeOptions = NO_OPTIONS): Promise<number> {
    return this.#changes.adjust(key, 'set', points, options)
  }

  /** Runs work that a verdict has allowed, and keeps its permits meanwhile. See `run`. */
  async #hold<Result>(verdict: RateLimitVerdict, work: () => Promise<Result>): Promise<Result> {
    const receipt = this.#hasPermits ? receiptOf(verdict) : undefined
    if (receipt === undefined) return work()
    const { clock, work: background, freed } = this.#parts
    const { store, admission } = receipt
    // Only the permits: what was counted stays counted.
    const rule = permitsOf(receipt.rule)
    const stopRenewing = keepPermit({ store, rule, admission }, clock, background)
    try {
      return await work()
    } finally {
      stopRenewing()
      // Nobody waits for it: where it fails, the permit ends with its lease.
      background.run('give a permit back', store.refund(rule, admission))
      freed(this.name, admission.key)
    }
  }

  #consume(
    variant: LimitVariant,
    key: string,
    cost: number,
    signal: AbortSignal | undefined,
  ): Promise<RateLimitVerdict> {
    assertCost(cost, variant.capacity, this.name)
    const known = variant.decisions.known(key, cost)
    if (known !== undefined) return Promise.resolve(this.#verdict(key, known))
    return this.#ask(variant, key, cost, signal)
  }

  async #ask(
    { limiter, decisions }: LimitVariant,
    key: string,
    cost: number,
    signal: AbortSignal | undefined,
  ): Promise<RateLimitVerdict> {
    signal?.throwIfAborted()
    const permit = this.#hasPermits ? this.#parts.nextPermit() : ''
    const answer = await decisions.ask({ key, cost, kind: 'take', permit })
    if (answer.kind === 'open') return this.#unasked(key, 'open', limiter.rule)
    const verdict = this.#verdict(key, answer)
    const { reply, rule, store } = answer
    if (!reply.admitted || cost === 0) return verdict
    const { nowUs, waitUs } = reply
    putReceipt(verdict, { admission: { key, cost, permit, nowUs, waitUs }, rule, store })
    if (waitUs > 0 && !limiter.dryRun) await this.#awaitTurn(verdict, signal)
    return verdict
  }

  get #isOff(): boolean {
    return this.#parts.variants.any.limiter.enabled?.() === false
  }

  #variantFor(key: string, { args, self }: ConsumeOptions): LimitVariant | Promise<LimitVariant> {
    const { variants } = this.#parts
    return variants.isLookedUp ? variants.find({ self, args: args ?? [key] }) : variants.any
  }

  /** A turn that nobody comes for is given back. */
  async #awaitTurn(verdict: RateLimitVerdict, given: AbortSignal | undefined): Promise<void> {
    const { clock, closing, work } = this.#parts
    const { signal, unlink } = linkSignals(closing, given)
    try {
      await awaitTurn(clock, verdict.waitedMs, signal)
    } catch (reason) {
      work.run('give a turn back', this.refund(verdict))
      throw reason
    } finally {
      unlink()
    }
  }

  #verdict(key: string, answer: Decided): RateLimitVerdict {
    const verdict = this.#worded(answer)
    this.#report(key, verdict)
    return verdict
  }

  #worded({ rule, reply, store, isKnown, elapsedMs }: Decided): RateLimitVerdict {
    const asked = store.provider.capabilities.shared ? 'remote' : 'local'
    const source = isKnown ? 'known' : asked
    const { dryRun } = this.#parts.variants.any.limiter
    return verdictOf(rule, reply, { source, dryRun, elapsedMs })
  }

  #unasked(
    key: string,
    source: 'open' | 'off',
    rule = this.#parts.variants.any.limiter.rule,
  ): RateLimitVerdict {
    const verdict = unaskedVerdict(rule, source)
    this.#report(key, verdict)
    return verdict
  }

  #report(key: string, verdict: RateLimitVerdict): void {
    const { events } = this.#parts
    if (!events.has('limit')) return
    const { allowed, withinLimit, policy, source, waitedMs } = verdict
    events.emit('limit', {
      limiter: this.name,
      key,
      allowed,
      withinLimit,
      policy,
      source,
      waitMs: waitedMs,
    })
  }
}
