/** What share of a trace's accesses would a policy have answered, at each size? */

import { nextUsesOf, optimalRatio } from './policies/optimal.ts'
import type { Policy, PolicyCache } from './policies/policy.ts'
import type { Trace } from './traces/trace.ts'

export interface Row {
  readonly policy: string
  /** One for each size, from 0 to 1; the first access of every key counts as the miss it is. */
  readonly ratios: readonly number[]
}

export interface Measured {
  readonly trace: string
  readonly accesses: number
  readonly distinct: number
  readonly sizes: readonly number[]
  /** In the order of the policies; the upper bound last. */
  readonly rows: readonly Row[]
}

export const UPPER_BOUND = 'optimal (Bélády)'

const VALUE = {}

export function measure(
  { name, keys }: Trace,
  policies: readonly Policy[],
  sizes: readonly number[],
): Measured {
  const nextUses = nextUsesOf(keys)
  const rows = policies.map((policy) => ({
    policy: policy.name,
    ratios: sizes.map((size) => ratioOf(keys, policy.create(size), size)),
  }))
  const bound = sizes.map((size) => optimalRatio(keys, nextUses, size))
  return {
    trace: name,
    accesses: keys.length,
    distinct: new Set(keys).size,
    sizes,
    rows: [...rows, { policy: UPPER_BOUND, ratios: bound }],
  }
}

function ratioOf(keys: Int32Array, cache: PolicyCache, size: number): number {
  let hits = 0
  for (const key of keys) {
    if (cache.get(key) === undefined) cache.set(key, VALUE)
    else hits += 1
  }
  if (cache.size > size) throw new Error(`A cache of ${size} entries held ${cache.size}`)
  return hits / keys.length
}
