/** What the limit scripts wrote of a key, as the numbers that their model says it would have written. */

import type { LimitPolicy } from '@larder/core/store'
import type { Redis } from 'ioredis'
import {
  BLOCK_ENDING,
  limitKey,
  policyEnding,
} from '../../../packages/redis-store/src/key-layout.ts'

/** Which number of a state is when the key expires: Redis' affair, and none of the model's. */
const EXPIRES: Readonly<Record<string, number>> = {
  exact: 2,
  window: 3,
  smooth: 2,
  fixed: 2,
  calendar: 2,
}
/** The sum of all counts, which is there for speed. */
const WINDOW_SUM = 5

/** The states of some policies for a key, and its block, by the endings of their keys; absent ones left out. */
export async function statesIn(
  redis: Redis,
  { namespace, limiter, key }: { namespace: string; limiter: string; key: string },
  policies: readonly LimitPolicy[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const prefix = limitKey(namespace, limiter, key)
  const read = policies.map(async ({ name, algorithm }) => {
    const ending = policyEnding(name, algorithm)
    const state =
      algorithm === 'concurrency'
        ? termsIn(await redis.zrange(prefix + ending, '0', '-1', 'WITHSCORES'))
        : numbersIn(algorithm, await redis.getBuffer(prefix + ending))
    return [ending.slice(1), state] as const
  })
  const block = redis.getBuffer(prefix + BLOCK_ENDING).then((bytes) => {
    return [BLOCK_ENDING.slice(1), blockIn(bytes)] as const
  })
  const states = await Promise.all([...read, block])
  return new Map(states.filter(([, { length }]) => length > 0))
}

function numbersIn(algorithm: string, bytes: Buffer | null): readonly number[] {
  const numbers = Array.from(
    { length: (bytes?.length ?? 0) / 8 },
    (_, i) => bytes?.readDoubleBE(8 * i) ?? 0,
  )
  const unknown = [EXPIRES[algorithm], algorithm === 'window' ? WINDOW_SUM : undefined]
  return numbers.filter((_, i) => !unknown.includes(i))
}

/** When it was last written, which has a score below 0, and the ends of the terms. */
function termsIn(members: readonly string[]): readonly number[] {
  return members.filter((_, i) => i % 2 === 1).map((score) => Math.abs(Number(score)))
}

/** Until when, for which policy, and for how long. */
function blockIn(bytes: Buffer | null): readonly number[] {
  if (bytes === null) return []
  const wide = (at: number): number => Number(BigInt(`0x${bytes.toString('hex', at, at + 7)}`))
  return [wide(0), bytes.readUInt16BE(7), wide(9)]
}
