/**
 * Whether a manager is well, in one word, for a probe.
 *
 * A cache that has lost its store goes on serving, with fewer hits and never with older values than it promises. A probe that
 * failed then would take every instance out of service at once, over something that none of them can mend. So a manager
 * without its store is *degraded*, and only a closed one is *down*.
 */

import type { ManagerStatus } from './status.ts'

/** What is not as it should be. */
export type HealthReason =
  /** The store was neither reached nor found to be away. */
  | 'starting'
  /** An outage, by its kind. */
  | 'setup'
  | 'unreachable'
  | 'refusing'
  | 'deaf'
  | 'limits'
  /** Entries cannot be verified: they are served for `maxStaleness` and then loaded. */
  | 'isolated'
  /** Evictions, or values, wait for the store: other nodes may still serve what was evicted here, for `maxStaleness`. */
  | 'queue'
  /** The circuit breaker of the store, of the locks or of the limits keeps calls away. */
  | 'breaker'
  /** A right is missing, or the like. */
  | 'trouble'
  | 'closed'

export interface HealthProblem {
  readonly reason: HealthReason
  /** For a person. Names no key and no value. */
  readonly message: string
}

/** Plain JSON. */
export interface ManagerHealth {
  /** `up`; `degraded`: it serves, but not as it should; `down`: it was closed. */
  readonly state: 'up' | 'degraded' | 'down'
  /**
   * For a readiness probe: false only when it is down. There is nothing for a liveness probe: whatever is wrong with a cache,
   * starting the process anew does not mend it.
   */
  readonly isReady: boolean
  /** Empty when it is up. */
  readonly problems: readonly HealthProblem[]
  readonly status: ManagerStatus
}

export function healthOf(status: ManagerStatus): ManagerHealth {
  const problems = [...problemsOf(status)]
  const isDown = status.state === 'closed'
  return {
    state: isDown ? 'down' : problems.length > 0 ? 'degraded' : 'up',
    isReady: !isDown,
    problems,
    status,
  }
}

function* problemsOf(status: ManagerStatus): Generator<HealthProblem> {
  const { state, store, coherence, breakers, recoveryQueue } = status
  if (state === 'closed') {
    yield { reason: state, message: 'The manager was closed' }
    return
  }
  if (state === 'starting') yield { reason: state, message: 'The store was not reached yet' }
  else if (state !== 'up' && state !== 'in-process') {
    yield { reason: state, message: status.reason ?? `The store is ${state}` }
  }
  if (coherence.state === 'isolated' && state !== 'starting') {
    yield { reason: 'isolated', message: 'Entries cannot be verified' }
  }
  for (const { use, provider, state: breaker } of breakers) {
    if (breaker === 'closed') continue
    yield {
      reason: 'breaker',
      message: `The circuit breaker of ${provider} (${use}) is ${breaker}`,
    }
  }
  const { waiting } = recoveryQueue
  if (waiting > 0) yield { reason: 'queue', message: `${waiting} evictions wait for the store` }
  for (const message of store?.troubles ?? []) yield { reason: 'trouble', message }
}
