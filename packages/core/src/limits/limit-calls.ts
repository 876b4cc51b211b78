/** One call under a limiter: its verdict, its wait for a turn, and how it is given back. */

import type { Clock } from '../contracts/clock.ts'
import type { LimitRule } from '../contracts/rate-limit-provider.ts'
import type { Emitter } from '../events/emitter.ts'
import { OpenTrace } from '../events/open-trace.ts'
import { CHANNELS } from '../events/traces.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { linkSignals } from '../lifecycle/link-signals.ts'
import { awaitTurn } from './await-turn.ts'
import { assertCost } from './capacity.ts'
import { holdPermit } from './keep-permit.ts'
import type { LimitVariant } from './limit-variants.ts'
import type { Decided } from './questions.ts'
import {
  putReceipt,
  type RateLimitVerdict,
  receiptOf,
  takeReceipt,
  unaskedVerdict,
  verdictOf,
} from './verdict.ts'

export interface CallParts {
  readonly namespace: string
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly closing: AbortSignal
  /** Returns a unique name for a permit of `concurrency` policies. */
  nextPermit(): string
  /** Tells this process's limiters what the store tells those of other processes. */
  freed(limiter: string, key: string): void
}

/** What is asked for. */
export interface LimitCall {
  readonly key: string
  readonly cost: number
  /** Ends the waiting for a turn. */
  readonly signal: AbortSignal | undefined
}

export class LimitCalls {
  readonly #parts: CallParts
  readonly #dryRun: boolean
  readonly #name: string
  readonly #hasPermits: boolean

  constructor(parts: CallParts, { limiter, policies }: LimitRule, dryRun: boolean) {
    this.#parts = parts
    this.#dryRun = dryRun
    this.#name = limiter
    this.#hasPermits = policies.some(({ algorithm }) => algorithm === 'concurrency')
  }

  /** Counts a call if it is allowed. @throws as `limiter.consume` */
  take(variant: LimitVariant, call: LimitCall): Promise<RateLimitVerdict> {
    const { limit: channel } = CHANNELS
    if (!channel.hasSubscribers) return this.#take(variant, call)
    const { key, cost } = call
    const { namespace, events } = this.#parts
    const { owner: manager } = events
    const trace = new OpenTrace(channel, { namespace, manager, limiter: this.#name, key, cost })
    const answer = trace.run(async () => this.#take(variant, call))
    return trace.until(answer, ({ allowed, policy, source, waitedMs: waitMs }) => {
      return { allowed, policy, source, waitMs }
    })
  }

  #take({ decisions, capacity }: LimitVariant, call: LimitCall): Promise<RateLimitVerdict> {
    const { key, cost } = call
    assertCost(cost, capacity, this.#name)
    const known = decisions.known(key, cost)
    if (known !== undefined) return Promise.resolve(this.#verdict(call, known))
    return this.#ask(decisions, call)
  }

  /** Returns what `take` would return. @throws as `limiter.peek` */
  async look(
    { decisions, capacity }: LimitVariant,
    key: string,
    cost: number,
  ): Promise<RateLimitVerdict> {
    assertCost(cost, capacity, this.#name)
    const closed = decisions.closed(cost)
    if (closed !== undefined) return this.#worded(closed, cost)
    const answer = await decisions.ask({ key, cost, kind: 'peek', permit: '' })
    if (answer.kind === 'open') return unaskedVerdict(decisions.rule, 'open')
    return this.#worded(answer, cost)
  }

  /** Lets a call pass without asking a store. */
  unasked(key: string, rule: LimitRule, source: 'open' | 'off'): RateLimitVerdict {
    const verdict = unaskedVerdict(rule, source)
    this.#report(key, verdict)
    return verdict
  }

  /** Takes an allowed call back. See `Limiter.refund`. */
  async refund(verdict: RateLimitVerdict): Promise<boolean> {
    const receipt = takeReceipt(verdict)
    if (receipt === undefined) return false
    const { store, rule, admission } = receipt
    this.#parts.freed(this.#name, admission.key)
    const isGivenBack = await store.refund(rule, admission)
    this.#parts.freed(this.#name, admission.key)
    return isGivenBack
  }

  /**
   * The same for a caller that may not wait, where `isFree` says so. Never rejects: a failure is reported, and the call stays
   * counted.
   */
  async giveBack(verdict: RateLimitVerdict, isFree: () => unknown = () => true): Promise<void> {
    const giving = (async () => (await isFree()) === true && this.refund(verdict))()
    this.#parts.work.run('give a call back', giving)
    await giving.catch(() => undefined)
  }

  /** Runs work that a verdict has allowed, and keeps its permits meanwhile. */
  async hold<Result>(verdict: RateLimitVerdict, work: () => Promise<Result>): Promise<Result> {
    const receipt = this.#hasPermits ? receiptOf(verdict) : undefined
    if (receipt === undefined) return work()
    const giveBack = holdPermit(receipt, this.#parts.clock, this.#parts.work)
    try {
      return await work()
    } finally {
      giveBack()
      this.#parts.freed(this.#name, receipt.admission.key)
    }
  }

  async #ask(decisions: LimitVariant['decisions'], call: LimitCall): Promise<RateLimitVerdict> {
    const { key, cost, signal } = call
    signal?.throwIfAborted()
    const permit = this.#hasPermits ? this.#parts.nextPermit() : ''
    const answer = await decisions.ask({ key, cost, kind: 'take', permit })
    if (answer.kind === 'open') return this.unasked(key, decisions.rule, 'open')
    const verdict = this.#verdict(call, answer)
    const { reply, rule, store } = answer
    if (!reply.admitted || cost === 0) return verdict
    const { nowUs, waitUs } = reply
    putReceipt(verdict, { admission: { key, cost, permit, nowUs, waitUs }, rule, store })
    if (waitUs > 0 && !this.#dryRun) await this.#awaitTurn(verdict, signal)
    return verdict
  }

  /** A turn that its caller gave up is given back. */
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

  #verdict({ key, cost }: LimitCall, answer: Decided): RateLimitVerdict {
    const verdict = this.#worded(answer, cost)
    this.#report(key, verdict)
    return verdict
  }

  #worded({ rule, reply, store, isKnown, elapsedMs }: Decided, cost: number): RateLimitVerdict {
    const asked = store.provider.capabilities.shared ? 'remote' : 'local'
    const source = isKnown ? 'known' : asked
    return verdictOf(rule, reply, { source, dryRun: this.#dryRun, elapsedMs, cost })
  }

  #report(key: string, verdict: RateLimitVerdict): void {
    const { events } = this.#parts
    if (!events.heard.has('limit')) return
    const { allowed, withinLimit, policy, source, waitedMs: waitMs } = verdict
    const limiter = this.#name
    events.emit('limit', { limiter, key, allowed, withinLimit, policy, source, waitMs })
  }
}
