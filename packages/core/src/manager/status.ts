/** The state of a manager, for a health check, a metrics scraper, or a process that waits for it. */

import type { Coherence } from '../coherence/coherence.ts'
import { PARTITIONS } from '../coherence/partitions.ts'
import type { Clock } from '../contracts/clock.ts'
import type { ProviderKind } from '../contracts/providers.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { StoreUnavailableError } from '../errors/store-error.ts'
import type { OutageKind } from '../events/events.ts'
import type { BreakerState } from '../guard/breaker.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import type { BusGaps, StoreCalls, StoreTallies } from './store-tallies.ts'
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
    /** Since when the bus is up or down; `null` before it was either. */
    readonly busSince: string | null
    readonly busGaps: BusGaps
    readonly calls: StoreCalls
    /** Rights that are missing and the like, as they were told. */
    readonly troubles: readonly string[]
    readonly lastError: LastError | null
  } | null
  readonly coherence: {
    /** `isolated`: entries cannot be verified, and live for maxStaleness. `alone`: there is no remote store. */
    readonly state: 'verified' | 'isolated' | 'alone'
    /** Since when it is in that state; `null` when it has never been in another one. */
    readonly since: string | null
    /** How long ago the store last confirmed everything, ms; `null` when it never did. */
    readonly confirmedAgoMs: number | null
    /** Parts of the keys whose entries here are served without being compared, of all. All of them when `alone`. */
    readonly partitions: { readonly verified: number; readonly all: number }
  }
  /** Circuit breakers: of the store, and of the providers of locks, limits and the like once those are used. */
  readonly breakers: readonly BreakerStatus[]
  /** Evictions that have not reached the store: how many, and whether they were put together into coarser ones. */
  readonly recoveryQueue: {
    readonly waiting: number
    /** Of these, keys for which a value waits that is to be written. */
    readonly values: number
    readonly escalated: 'none' | 'partition' | 'clear'
  }
}

/** One circuit breaker. `open`: calls are not tried; `half-open`: one is, to see whether the others may be. */
export interface BreakerStatus {
  readonly use: 'store' | ProviderKind
  /** The name of the store or provider. */
  readonly provider: string
  readonly state: BreakerState
}

export interface StatusParts {
  readonly namespace: string
  readonly remote: RemoteTier | undefined
  readonly coherence: Coherence
  readonly watch: StoreWatch
  readonly tallies: StoreTallies
  /** Those of providers, as far as they are used. */
  readonly breakers: () => readonly BreakerStatus[]
  readonly clock: Clock
  /** How long a confirmation counts. */
  readonly maxStalenessMs: number
  readonly isClosed: () => boolean
}

export function statusOf(parts: StatusParts): ManagerStatus {
  const { namespace, remote, coherence, watch, tallies } = parts
  const { queue } = coherence.knowledge
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
            busSince: tallies.busSince?.toISOString() ?? null,
            busGaps: tallies.gaps,
            calls: tallies.calls,
            troubles: watch.troubles,
            lastError: watch.lastError ?? null,
          },
    coherence: coherenceOf(parts),
    breakers: breakersOf(parts),
    recoveryQueue: {
      waiting: queue.size,
      values: queue.puts().length,
      escalated: queue.escalated,
    },
  }
}

function breakersOf({ remote, watch, breakers }: StatusParts): readonly BreakerStatus[] {
  if (remote === undefined) return breakers()
  const own = { use: 'store', provider: remote.store.name, state: watch.breaker } as const
  return [own, ...breakers()]
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

function coherenceOf(parts: StatusParts): ManagerStatus['coherence'] {
  const { coherence, clock, maxStalenessMs, tallies } = parts
  const { knowledge } = coherence
  const all = PARTITIONS
  if (knowledge.isAlone) {
    return {
      state: 'alone',
      since: null,
      confirmedAgoMs: null,
      partitions: { verified: all, all },
    }
  }
  const now = clock.now()
  const agoMs = now - knowledge.confirmedAt
  const isKnown = Number.isFinite(agoMs)
  const isVerified = ({ id }: { readonly id: number }): boolean =>
    now - knowledge.verifiedAt(id) < maxStalenessMs
  const state = knowledge.canJudge(maxStalenessMs) ? 'verified' : 'isolated'
  return {
    state,
    since: sinceOf(tallies, state, isKnown ? agoMs - maxStalenessMs : 0),
    confirmedAgoMs: isKnown ? Math.round(agoMs) : null,
    partitions: { verified: knowledge.partitions.filter(isVerified).length, all },
  }
}

/** A store that does not answer is noticed by the time that passes, before anything says so. */
function sinceOf(tallies: StoreTallies, state: string, overdueMs: number): string | null {
  const said = tallies.coherenceSince(state)
  if (said !== undefined) return said.toISOString()
  return overdueMs > 0 ? new Date(Date.now() - overdueMs).toISOString() : null
}
