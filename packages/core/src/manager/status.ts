/** The state of a manager, for a health check, a metrics scraper, or a process that waits for it. */

import type { Coherence } from '../coherence/coherence.ts'
import type { Clock } from '../contracts/clock.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { StoreUnavailableError } from '../errors/store-error.ts'
import type { OutageKind } from '../events/events.ts'
import type { BreakerState } from '../guard/breaker.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import type { LastError, StoreWatch } from './store-watch.ts'

/** Plain JSON. Instants are ISO texts. */
export interface ManagerStatus {
  readonly namespace: string
  /** `in-process`: there is no remote store. `starting`: it was neither reached nor failed yet. Otherwise the name of the outage. */
  readonly state: 'in-process' | 'starting' | 'up' | OutageKind | 'closed'
  readonly since: string
  /** The first error of the store or of the connection. */
  readonly reason: string | null
  readonly store: {
    /** True when it has a connection and calls are let through. */
    readonly isReachable: boolean
    readonly breaker: BreakerState
    readonly bus: 'up' | 'down' | 'starting' | 'none'
    /** Mistakes in the setup, such as missing rights, as the store reported them. */
    readonly troubles: readonly string[]
    readonly lastError: LastError | null
  } | null
  readonly coherence: {
    /** `isolated`: entries cannot be verified, and live for maxStaleness. `alone`: there is no remote store. */
    readonly state: 'verified' | 'isolated' | 'alone'
    /** How long ago the store last confirmed everything, ms; `null` when it never did. */
    readonly confirmedAgoMs: number | null
  }
  /** Evictions that have not reached the store: how many, and whether they were merged into coarser ones. */
  readonly recoveryQueue: {
    readonly waiting: number
    readonly escalated: 'none' | 'partition' | 'clear'
  }
}

export interface StatusParts {
  readonly namespace: string
  readonly remote: RemoteTier | undefined
  readonly coherence: Coherence
  readonly watch: StoreWatch
  readonly clock: Clock
  /** How long a confirmation counts. */
  readonly maxStalenessMs: number
  readonly isClosed: () => boolean
}

export function statusOf(parts: StatusParts): ManagerStatus {
  const { namespace, remote, coherence, watch } = parts
  return {
    namespace,
    state: stateOf(parts),
    since: watch.since.toISOString(),
    reason: watch.outage?.reason ?? null,
    store:
      remote === undefined
        ? null
        : {
            isReachable: remote.isReachable,
            breaker: watch.breaker,
            bus: remote.store.bus === undefined ? 'none' : (watch.bus ?? 'starting'),
            troubles: watch.troubles,
            lastError: watch.lastError ?? null,
          },
    coherence: coherenceOf(parts),
    recoveryQueue: {
      waiting: coherence.knowledge.queue.size,
      escalated: coherence.knowledge.queue.escalated,
    },
  }
}

const LOOK_EVERY_MS = 25

/**
 * Connects, and resolves when entries can be verified and the other nodes are heard.
 *
 * @throws StoreSetupError at once; StoreUnavailableError after `timeoutMs`, with the last failure as its cause; ClosedError
 */
export async function untilReady(parts: StatusParts, timeoutMs: number): Promise<void> {
  const { remote, coherence, watch, clock, isClosed } = parts
  const until = clock.now() + timeoutMs
  // Not awaited: with a store that does not answer it may take long.
  void coherence.start()
  for (;;) {
    if (isClosed()) throw new ClosedError()
    if (watch.setupError !== undefined) throw watch.setupError
    if (remote === undefined) return
    const isHeard = remote.store.bus === undefined || watch.bus === 'up'
    if (isHeard && coherenceOf(parts).state === 'verified') return
    const leftMs = until - clock.now()
    if (leftMs <= 0) throw new StoreUnavailableError('ready', watch.lastFailure)
    await new Promise<void>((resolve) => {
      clock.schedule(Math.min(LOOK_EVERY_MS, leftMs), resolve, 'caller')
    })
  }
}

function stateOf({ remote, watch, coherence, isClosed }: StatusParts): ManagerStatus['state'] {
  if (isClosed()) return 'closed'
  if (remote === undefined) return 'in-process'
  if (watch.outage !== undefined) return watch.outage.kind
  return coherence.knowledge.tagsVerifiedAt > Number.NEGATIVE_INFINITY ? 'up' : 'starting'
}

function coherenceOf({
  coherence,
  clock,
  maxStalenessMs,
}: StatusParts): ManagerStatus['coherence'] {
  if (coherence.knowledge.isAlone) return { state: 'alone', confirmedAgoMs: null }
  const agoMs = clock.now() - coherence.knowledge.confirmedAt
  const isKnown = Number.isFinite(agoMs)
  return {
    state: coherence.knowledge.canJudge(maxStalenessMs) ? 'verified' : 'isolated',
    confirmedAgoMs: isKnown ? Math.round(agoMs) : null,
  }
}
