/** A rule as the scripts read it, and the keys it works on; made once, because both travel with every call. */

import { CalendarEdges, type LimitPolicy, type LimitRule } from '@larder/core/store'
import type { ScriptName } from '../commands/script-runner.ts'
import { BLOCK_ENDING, limitKey, policyEnding } from '../key-layout.ts'

const US_PER_MS = 1_000

/** `single`: a script of the policy's own, with the rule in three arguments; `any`: the one for all rules, with JSON. */
type Decision =
  | { readonly kind: 'single'; readonly script: ScriptName; readonly rule: readonly string[] }
  | { readonly kind: 'any' }

export class RuleScript {
  readonly rule: LimitRule
  /** The part of the rule that renewals need. */
  readonly permitPolicies: string
  /** The script that decides, and what it is told about the rule besides a calendar. */
  readonly decision: Decision
  readonly #states: readonly string[]
  readonly #permitStates: readonly string[]
  readonly #edges = new Map<LimitPolicy, CalendarEdges>()
  #text = ''
  #textFor: readonly (readonly number[])[] = []

  constructor(rule: LimitRule) {
    this.rule = rule
    for (const policy of rule.policies) {
      if (policy.algorithm !== 'calendar') continue
      this.#edges.set(policy, new CalendarEdges(policy.period, policy.timeZone))
    }
    const limited = rule.policies.filter(({ algorithm }) => algorithm === 'concurrency')
    this.permitPolicies = JSON.stringify({
      policies: limited.map((policy) => inScriptWords(policy, [])),
    })
    this.#states = rule.policies.map(endingOf)
    this.#permitStates = limited.map(endingOf)
    if (this.#edges.size === 0) this.#text = this.#textAt(0)
    this.decision = decisionOf(rule)
  }

  /** The rule as JSON; a calendar's part is that around a time of the server, µs. */
  at(serverUs: number): string {
    if (this.#edges.size === 0) return this.#text
    const serverMs = Math.floor(serverUs / US_PER_MS)
    const edges = [...this.#edges.values()].map((of) => of.around(serverMs))
    // The very same lists for as long as nothing has changed.
    if (this.#text === '' || edges.some((list, i) => list !== this.#textFor[i])) {
      this.#text = this.#textAt(serverMs)
      this.#textFor = edges
    }
    return this.#text
  }

  /** Adds the keys that a decision on `key` takes. */
  pushDecisionKeys(keys: string[], namespace: string, key: string): void {
    const prefix = limitKey(namespace, this.rule.limiter, key)
    for (const ending of this.#states) keys.push(prefix + ending)
    keys.push(prefix + BLOCK_ENDING)
  }

  stateKeys(namespace: string, key: string): readonly string[] {
    const prefix = limitKey(namespace, this.rule.limiter, key)
    return this.#states.map((ending) => prefix + ending)
  }

  /** The keys of the policies that have permits. */
  permitKeys(namespace: string, key: string): readonly string[] {
    const prefix = limitKey(namespace, this.rule.limiter, key)
    return this.#permitStates.map((ending) => prefix + ending)
  }

  blockKey(namespace: string, key: string): string {
    return limitKey(namespace, this.rule.limiter, key) + BLOCK_ENDING
  }

  allKeys(namespace: string, key: string): readonly string[] {
    return [...this.stateKeys(namespace, key), this.blockKey(namespace, key)]
  }

  #textAt(serverMs: number): string {
    const { policies, maxWaitUs: maxWait, penalty, blockUs: block } = this.rule
    const written = policies.map((policy) =>
      inScriptWords(policy, this.#edges.get(policy)?.around(serverMs) ?? []),
    )
    return JSON.stringify({ policies: written, maxWait, penalty, block })
  }
}

function decisionOf({ policies, penalty, blockUs, maxWaitUs }: LimitRule): Decision {
  const [policy] = policies
  if (policies.length > 1 || policy === undefined || penalty || blockUs > 0) return { kind: 'any' }
  const single = (script: ScriptName, ...numbers: readonly number[]): Decision => {
    const rule = [String(maxWaitUs), String(policy.limit), numbers.join(' ')]
    return { kind: 'single', script, rule }
  }
  switch (policy.algorithm) {
    case 'exact':
      return single('limitExact', policy.windowUs)
    case 'window':
      return single('limitWindow', policy.sliceUs, policy.slices)
    case 'smooth':
      return single('limitSmooth', policy.intervalUs, policy.burst, policy.windowUs)
    case 'fixed':
      return single('limitFixed', policy.windowUs)
    default:
      return { kind: 'any' }
  }
}

function endingOf({ name, algorithm }: LimitPolicy): string {
  return policyEnding(name, algorithm)
}

/** `edges`: where the periods of a calendar begin, ms. */
function inScriptWords(policy: LimitPolicy, edges: readonly number[]): object {
  const { algorithm, limit } = policy
  switch (algorithm) {
    case 'exact':
    case 'fixed':
      return { algorithm, limit, window: policy.windowUs }
    case 'window':
      return { algorithm, limit, slice: policy.sliceUs, slices: policy.slices }
    case 'smooth':
      return {
        algorithm,
        limit,
        interval: policy.intervalUs,
        burst: policy.burst,
        window: policy.windowUs,
      }
    case 'calendar':
      return { algorithm, limit, edges: edges.map((ms) => ms * US_PER_MS) }
    case 'concurrency':
      return { algorithm, limit, term: policy.termUs }
  }
}
