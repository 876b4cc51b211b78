/** The options of each policy of a limiter: a single policy is among the limiter's own options. */

import type { LimitPolicy } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { LimiterOptions } from './limiter-options.ts'
import {
  type ConcurrencyOptions,
  type KnownPolicy,
  POLICY_OPTION_NAMES,
  type PolicyOptions,
} from './policy-options.ts'

/** A policy as the user wrote it. */
export interface SaidPolicy {
  /** Its place, after the name of the limiter: `.policies[0]`, or empty for a single policy. */
  readonly at: string
  /** Its limit, if that is a function. */
  readonly lookup: ((...args: never[]) => unknown) | undefined
  /** With its limit; where that is looked up, with an example that fits its other options. */
  readonly example: KnownPolicy
  /** The same with a limit that was looked up. */
  under(limit: number): KnownPolicy
}

type PolicyWords = PolicyOptions<never> | ConcurrencyOptions<never>

/** All of them are read with every call. */
const MOST_POLICIES = 16

/** @throws InvalidOptionError when a list of policies is missing, or other options stand beside it */
export function saidPolicies(options: LimiterOptions, where: string): readonly SaidPolicy[] {
  const { policies } = options as { readonly policies?: unknown }
  if (policies === undefined) return [saidPolicy(onlyPolicyOf(options), '')]
  if (!Array.isArray(policies) || policies.length === 0 || policies.length > MOST_POLICIES) {
    const expected = `a list of at least one policy and at most ${MOST_POLICIES}`
    throw new InvalidOptionError({ option: `${where}.policies`, expected, received: policies })
  }
  assertNoneBeside(options, where)
  return policies.map((policy: unknown, i) => saidPolicy(policy, `.policies[${i}]`))
}

/** @throws InvalidOptionError when two policies have the same name */
export function assertOwnNames(policies: readonly LimitPolicy[], where: string): void {
  const names = policies.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice === undefined) return
  const expected = 'a name of its own for each policy'
  throw new InvalidOptionError({ option: `${where}.policies`, expected, received: twice })
}

function onlyPolicyOf(options: object): object {
  const given = Object.entries(options).filter(([name]) =>
    (POLICY_OPTION_NAMES as readonly string[]).includes(name),
  )
  return Object.fromEntries(given)
}

function assertNoneBeside(options: object, where: string): void {
  for (const name of POLICY_OPTION_NAMES) {
    const received = (options as Record<string, unknown>)[name]
    if (name === 'name' || received === undefined) continue
    const expected = 'to be an option of one of the policies'
    throw new InvalidOptionError({ option: `${where}.${name}`, expected, received })
  }
}

function saidPolicy(policy: unknown, at: string): SaidPolicy {
  const limit = (policy as PolicyWords | null | undefined)?.limit as unknown
  const isLookedUp = typeof limit === 'function'
  if (!isLookedUp) {
    const example = policy as KnownPolicy
    return { at, lookup: undefined, example, under: () => example }
  }
  // A copy: later changes to the user's object have no effect.
  const under = underLimits({ ...(policy as PolicyWords) })
  return { at, lookup: limit as () => unknown, example: under(exampleOf(policy)), under }
}

/** With `hard`, a bucket's burst is no more than its limit. */
function exampleOf(policy: unknown): number {
  const { burst } = policy as { readonly burst?: unknown }
  return typeof burst === 'number' && Number.isInteger(burst) && burst > 0 ? burst : 1
}

/** The algorithm must not change with the limit: under another algorithm, counting would begin anew. */
function underLimits(policy: PolicyWords): (limit: number) => KnownPolicy {
  const isCalendar = ['hour', 'day', 'week', 'month'].includes(policy.per as string)
  const algorithm = policy.algorithm ?? (isCalendar ? undefined : 'window')
  const said = { ...policy, ...(algorithm === undefined ? {} : { algorithm }) }
  return (limit) => ({ ...said, limit }) as unknown as KnownPolicy
}
