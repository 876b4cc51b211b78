/** All that is known of one key of one limiter, and the decision on a call; the counterpart of lua/limit-decide-n.lua. */

import type { LimitPolicy, LimitReply, LimitRequest, LimitRule } from '@larder/core/store'
import type { Meter, Taken } from './meter.ts'
import { meterFor } from './meter-for.ts'

/** A decision, and whether it changed anything. */
export interface Decision {
  readonly reply: LimitReply
  readonly isChange: boolean
}

interface Block {
  readonly untilUs: number
  /** Index of the policy it is for. */
  readonly by: number
  readonly lengthUs: number
}

const NO_BLOCK: Block = { untilUs: 0, by: 0, lengthUs: 0 }

interface Moment {
  readonly rule: LimitRule
  readonly meters: readonly Meter[]
  readonly nowUs: number
}

export class Subject {
  readonly #meters = new Map<string, Meter>()
  #block: Block = NO_BLOCK

  /** How many numbers it holds, roughly. */
  get size(): number {
    let size = 4
    for (const meter of this.#meters.values()) size += meter.size
    return size
  }

  /** True when it is equal to a new subject. */
  isIdle(nowUs: number): boolean {
    if (this.#block.untilUs > nowUs) return false
    for (const meter of this.#meters.values()) if (meter.idleAt > nowUs) return false
    return true
  }

  /** What the scripts would have written of it, by the endings of their keys. */
  get written(): ReadonlyMap<string, readonly number[]> {
    const { untilUs, by, lengthUs } = this.#block
    const states = [...this.#meters].map(([name, meter]) => [name, meter.written] as const)
    const block = lengthUs > 0 ? [untilUs, by + 1, lengthUs] : []
    return new Map([...states, ['block', block] as const].filter(([, { length }]) => length > 0))
  }

  decide(rule: LimitRule, request: LimitRequest, nowUs: number): Decision {
    const { cost, kind, permit } = request
    const moment = { rule, meters: this.#metersOf(rule.policies, nowUs), nowUs }
    const { untilUs, by } = this.#blockAt(moment)
    if (untilUs > nowUs)
      return unchanged(answer(moment, { waitUs: untilUs - nowUs, refusedBy: by }))
    if (cost === 0) return unchanged(answer(moment, { waitUs: 0, refusedBy: -1 }))
    const tooDear = moment.meters.findIndex((meter) => cost > meter.capacity)
    if (tooDear >= 0) {
      return unchanged(answer(moment, { waitUs: Number.POSITIVE_INFINITY, refusedBy: tooDear }))
    }
    const { atUs, last } = earliest(moment, cost)
    if (atUs - nowUs > rule.maxWaitUs) {
      const freeAt = kind === 'peek' ? atUs : this.#penalize(moment, cost, { atUs, last })
      const reply = answer(moment, { waitUs: freeAt - nowUs - rule.maxWaitUs, refusedBy: last })
      return { reply, isChange: kind !== 'peek' && (rule.penalty || rule.blockUs > 0) }
    }
    if (kind === 'take') {
      for (const meter of moment.meters) meter.take({ cost, atUs, nowUs, permit })
    }
    const reply = answer(moment, { waitUs: atUs - nowUs, refusedBy: -1 })
    return { reply, isChange: kind === 'take' }
  }

  refund(rule: LimitRule, taken: Taken, nowUs: number): boolean {
    const given = this.#metersOf(rule.policies, nowUs).map((meter) => meter.refund(taken))
    return given.includes(true)
  }

  renew(rule: LimitRule, { cost, permit }: Taken, nowUs: number): boolean {
    const policies = rule.policies.filter(({ algorithm }) => algorithm === 'concurrency')
    const renewed = this.#metersOf(policies, nowUs).map((meter) => meter.renew?.(cost, permit))
    return !renewed.includes(false)
  }

  /** Gives points back without naming their admissions; returns the most that one policy gave. */
  reward(rule: LimitRule, points: number, nowUs: number): number {
    // Permits belong to running calls: they are not even looked at, which would move them where the clock was set back.
    const policies = rule.policies.filter(({ algorithm }) => algorithm !== 'concurrency')
    const given = this.#metersOf(policies, nowUs).map((meter) => meter.reward?.(points) ?? 0)
    return Math.max(0, ...given)
  }

  /** Makes every policy count this much, as far as it can; returns the most that one counts. */
  set(rule: LimitRule, points: number, nowUs: number): number {
    const counts = rule.policies.map((policy) => {
      // Permits belong to running calls.
      if (policy.algorithm === 'concurrency') return 0
      this.#meters.delete(nameOf(policy))
      const [meter] = this.#metersOf([policy], nowUs)
      const cost = Math.min(points, meter?.capacity ?? 0)
      if (cost > 0) meter?.take({ cost, atUs: nowUs, nowUs, permit: '' })
      return cost
    })
    return Math.max(...counts)
  }

  /** Admits nothing for so long; 0 ends a block. */
  block(lengthUs: number, nowUs: number): void {
    this.#block = lengthUs > 0 ? { untilUs: nowUs + lengthUs, by: 0, lengthUs } : NO_BLOCK
  }

  /** Forgets what a rule knows. */
  reset(rule: LimitRule): void {
    for (const policy of rule.policies) this.#meters.delete(nameOf(policy))
    this.#block = NO_BLOCK
  }

  /** Applies what a refusal changes, if the rule says that it changes anything; returns when the call would be admitted then. */
  #penalize(
    moment: Moment,
    cost: number,
    { atUs, last }: { readonly atUs: number; readonly last: number },
  ): number {
    const { rule, meters, nowUs } = moment
    let freeAt = atUs
    if (rule.penalty) {
      for (const meter of meters) meter.penalize(cost)
      freeAt = earliest(moment, cost).atUs
    }
    if (rule.blockUs > 0) {
      this.#block = { untilUs: nowUs + rule.blockUs, by: last, lengthUs: rule.blockUs }
      freeAt = Math.max(freeAt, nowUs + rule.maxWaitUs + rule.blockUs)
    }
    return freeAt
  }

  #blockAt({ rule, nowUs }: Moment): { readonly untilUs: number; readonly by: number } {
    const { untilUs, by, lengthUs } = this.#block
    // A block is never longer than it was meant to be, also where the clock was set back.
    return {
      untilUs: Math.min(untilUs, nowUs + lengthUs),
      by: Math.min(by, rule.policies.length - 1),
    }
  }

  /** The meters of some policies, in their order, looking at this moment. */
  #metersOf(policies: LimitRule['policies'], nowUs: number): readonly Meter[] {
    return policies.map((policy) => {
      const meter = this.#meterOf(policy)
      meter.look(policy, nowUs)
      return meter
    })
  }

  #meterOf(policy: LimitPolicy): Meter {
    const name = nameOf(policy)
    const known = this.#meters.get(name)
    if (known !== undefined) return known
    const meter = meterFor(policy)
    this.#meters.set(name, meter)
    return meter
  }
}

function nameOf({ name, algorithm }: LimitPolicy): string {
  return `${name}:${algorithm}`
}

/** The time when all policies admit the call, and the policy that does so last. */
function earliest({ meters, nowUs }: Moment, cost: number): { atUs: number; last: number } {
  let atUs = nowUs
  let last = -1
  for (const [i, meter] of meters.entries()) {
    const own = meter.earliest(cost)
    if (own <= atUs) continue
    atUs = own
    last = i
  }
  return { atUs, last }
}

function answer(
  { meters, nowUs }: Moment,
  outcome: { readonly waitUs: number; readonly refusedBy: number },
): LimitReply {
  const states = meters.map((meter) => meter.standing())
  return { admitted: outcome.refusedBy < 0, ...outcome, states, nowUs }
}

function unchanged(reply: LimitReply): Decision {
  return { reply, isChange: false }
}
