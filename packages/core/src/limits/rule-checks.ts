/** Checks how policies and the rest of a rule fit together. */

import type { LimitRule } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'

type Policies = LimitRule['policies']

const US_PER_MS = 1_000
/** How many reservations one key may hold: each is remembered, and a longer queue is of no use. */
const MOST_RESERVED = 10_000
/** How many slices of a window may lie ahead: each is a number that is read and written with the others. */
const MOST_SLICES_AHEAD = 1_000

/**
 * Waiting is a reservation: its time must be known in advance, and there must be few enough of them.
 *
 * @throws InvalidOptionError naming `option`.
 */
export function assertSensibleWait(policies: Policies, maxWaitUs: number, option: string): void {
  if (maxWaitUs === 0) return
  const received = maxWaitUs / US_PER_MS
  for (const policy of policies) {
    if (policy.algorithm === 'concurrency') {
      const expected =
        'no wait with algorithm "concurrency": it is unknown when a permit comes back. A lock with permits has a queue'
      throw new InvalidOptionError({ option, expected, received })
    }
    if (policy.algorithm === 'window' && maxWaitUs / policy.sliceUs > MOST_SLICES_AHEAD) {
      const longest = Math.floor((MOST_SLICES_AHEAD * policy.sliceUs) / US_PER_MS)
      const expected = `at most ${MOST_SLICES_AHEAD} slices of the window, which are ${longest} ms; or fewer slices, or algorithm "exact"`
      throw new InvalidOptionError({ option, expected, received })
    }
  }
  const longestUs = longestWaitUs(policies)
  if (maxWaitUs <= longestUs) return
  const longest = Math.floor(longestUs / US_PER_MS)
  const expected = `a wait in which at most ${MOST_RESERVED} calls per key can be waiting, which is ${longest} ms`
  throw new InvalidOptionError({ option, expected, received })
}

/** The longest wait in which no more calls of a key can be waiting than are remembered, µs. */
export function longestWaitUs(policies: Policies): number {
  return Math.floor(Math.min(...policies.map((policy) => MOST_RESERVED * usPerCall(policy))))
}

/** How much longer each waiting call makes the wait, µs; under a limit of 0 no call waits. */
function usPerCall(policy: Policies[number]): number {
  switch (policy.algorithm) {
    case 'exact':
    case 'fixed':
      return policy.windowUs / policy.limit
    case 'window':
      return (policy.sliceUs * policy.slices) / policy.limit
    case 'smooth':
      return policy.intervalUs
    default:
      return Number.POSITIVE_INFINITY
  }
}

/** @throws InvalidOptionError for a penalty or a block where a refusal does not mean misuse. */
export function assertMayPenalize(
  policies: Policies,
  options: { readonly penalty?: unknown; readonly block?: unknown },
  where: string,
): void {
  if (!policies.some(({ algorithm }) => algorithm === 'concurrency')) return
  for (const name of ['penalty', 'block'] as const) {
    const received = options[name]
    if (received === undefined || received === false) continue
    const expected = 'no "concurrency" policy beside it: a refusal there does not mean misuse'
    throw new InvalidOptionError({ option: `${where}.${name}`, expected, received })
  }
}
