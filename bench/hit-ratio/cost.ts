/** What do a hit and a miss cost in a policy, next to lru-cache in the same run? */

import { randomFrom } from '../../test/support/seed.ts'
import { compare } from '../harness.ts'
import type { Policy, PolicyCache } from './policies/policy.ts'
import { zipf } from './traces/zipf.ts'

export interface Cost {
  readonly policy: string
  readonly hitNs: number
  /** A look-up that finds nothing, and the set that follows, in a full cache. */
  readonly missNs: number
  /** Over the first policy's. */
  readonly hitRatio: number
  readonly missRatio: number
}

const CAPACITY = 4_096
/** So few that every policy holds them all. */
const HELD = CAPACITY / 2
const STRANGERS = 100_000
const ORDER = 65_536

type Loop = (cache: PolicyCache, keys: readonly string[], operations: number) => number

export async function costs(
  policies: readonly Policy[],
  operations: number,
  rounds: number,
): Promise<readonly Cost[]> {
  const popular = zipf(randomFrom(1), HELD, 1)
  const held = keysOf('product', HELD)
  const order = Array.from({ length: ORDER }, () => held[popular()] ?? '')
  const strangers = keysOf('stranger', STRANGERS)
  const hits = policies.map((policy) => {
    const cache = policy.create(CAPACITY)
    const loop = hitLoop()
    for (const key of held) cache.set(key, {})
    const round = async (): Promise<number> => {
      if (loop(cache, order, operations) !== operations) throw new Error('Some hits were misses')
      return operations
    }
    return { name: policy.name, round }
  })
  const misses = policies.map((policy) => {
    const cache = policy.create(CAPACITY)
    const loop = missLoop()
    const round = async (): Promise<number> => loop(cache, strangers, operations / 10)
    return { name: policy.name, round }
  })
  const hitTimes = await compare(hits, rounds)
  const missTimes = await compare(misses, rounds)
  return policies.map(({ name }, i) => {
    const hitNs = hitTimes[i]?.nsPerOp ?? Number.NaN
    const missNs = missTimes[i]?.nsPerOp ?? Number.NaN
    const hitRatio = hitNs / (hitTimes[0]?.nsPerOp ?? Number.NaN)
    const missRatio = missNs / (missTimes[0]?.nsPerOp ?? Number.NaN)
    return { policy: name, hitNs, missNs, hitRatio, missRatio }
  })
}

function keysOf(name: string, count: number): readonly string[] {
  // Through JSON, so that they are flat and hashed once, as keys that were looked up before are.
  return JSON.parse(JSON.stringify(Array.from({ length: count }, (_, i) => `shop:${name}:${i}`)))
}

/** A loop of each policy's own: one that all share would make its calls megamorphic, and measure that. */
function hitLoop(): Loop {
  return new Function(
    'cache',
    'keys',
    'operations',
    `let hits = 0
    for (let i = 0; i < operations; i++) if (cache.get(keys[i & ${ORDER - 1}]) !== undefined) hits++
    return hits`,
  ) as Loop
}

function missLoop(): Loop {
  return new Function(
    'cache',
    'keys',
    'operations',
    `this.next ??= 0
    for (let i = 0; i < operations; i++) {
      const key = keys[this.next++ % ${STRANGERS}]
      if (cache.get(key) === undefined) cache.set(key, {})
    }
    return operations`,
  ).bind({}) as Loop
}
