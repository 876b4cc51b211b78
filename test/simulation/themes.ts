/**
 * Runs about one thing: few faults, so that more can be promised than the invariants say of any run.
 *
 * - `puts`: only messages go wrong, and values live long. What was put last and evicted by nobody has to be there at rest.
 * - `leases`: replies of claims, fills and releases get lost, one at a time, and leases are long. Nobody waits for a lease
 *   that nobody holds.
 * - `stand-still`: processes stand still for a while, with replies unread and timers due. The store is not blamed.
 * - `read-only theme`: the store reads and refuses to write, messages arrive. What a node evicted is not served by others.
 * - `late-writes`: what was sent arrives long after its sender gave up. It does not replace what came since.
 * - `tag-clock`: the server's clock is set back, and some tag invalidations fail.
 * - `far-back`: a snapshot from long ago comes back, whose entries still live.
 * - `away`: the store is away for single nodes while values are set, which arrive later. They replace nothing that is newer.
 * - `failovers`: the store loses its latest changes, or single keys, while messages are late.
 */

import type { Random } from '../support/seed.ts'
import type { CachePlan, OperationKind, Plan } from './plan.ts'

export const THEME_NAMES = [
  'puts',
  'leases',
  'stand-still',
  'read-only theme',
  'late-writes',
  'tag-clock',
  'far-back',
  'away',
  'failovers',
] as const

export type ThemeName = (typeof THEME_NAMES)[number]

type Changes = Partial<Plan>

const LONG_LIFE_MS = 600_000
/** Longer than any read may take where nobody holds it, ms. */
const LONG_LEASE_MS = 20_000
/** Some round trips, deadlines and queries, and one sync in case a release has to be repeated, ms. */
const SLOWEST_READ_MS = 3_000
const READS: readonly OperationKind[] = ['read', 'read', 'read-each', 'peek-many']
const QUICK: Changes = {
  latencyMs: 15,
  storeTimeoutMs: 250,
  queryMs: 50,
  slowQueryChance: 0,
  failedQueryChance: 0,
}

/** What each theme makes of a plan. */
export const THEMES: Readonly<Record<ThemeName, (plan: Plan, random: Random) => Changes>> = {
  puts: (plan) => ({
    ...QUICK,
    caches: plan.caches.map(shared),
    faults: ['lose-messages', 'lose-messages', 'duplicate-messages', 'delay-messages'],
    operations: [...READS, 'put', 'set', 'set', 'put', 'set', 'evict'],
    keepsPuts: true,
    operationCount: plan.operationCount + 20,
  }),
  leases: (plan) => ({
    ...QUICK,
    caches: plan.caches.map((cache) =>
      withPolicy(shared(cache), { leaseWait: LONG_LEASE_MS, negativeTtl: 5_000 }),
    ),
    faults: ['lose-lease-replies'],
    operations: [...READS, ...READS, 'evict', 'soft-evict'],
    faultChance: 0.03,
    slowestReadMs: SLOWEST_READ_MS,
  }),
  'stand-still': () => ({ ...QUICK, faults: ['stand-still'], isStoreBlameless: true }),
  'read-only theme': (plan) => ({
    ...QUICK,
    caches: plan.caches.map(shared),
    faults: ['read-only'],
    hearsOfWaiting: true,
    faultChance: 0.02,
    strideMs: 200,
  }),
  'late-writes': (plan) => ({
    ...QUICK,
    caches: plan.caches.map(shared),
    faults: ['late-writes'],
    faultChance: 0.03,
    operations: [...READS, 'set', 'set', 'put', 'evict', 'evict-tags', 'soft-evict-tags'],
  }),
  'tag-clock': (plan) => ({
    ...QUICK,
    caches: plan.caches.map(shared),
    faults: ['clock-back', 'refuse-tags', 'refuse-tags'],
    operations: [...READS, 'evict-tags', 'soft-evict-tags', 'clear', 'soft-clear'],
    faultChance: 0.03,
  }),
  'far-back': (plan) => ({
    ...QUICK,
    caches: plan.caches.map(shared),
    faults: ['far-back'],
    // Quickly, so that the snapshot comes back when everything is done, and nothing evicts once more what it brings.
    faultChance: 0.02,
    timeChance: 0.01,
    strideMs: 20,
    operations: [...READS, 'evict', 'evict-many', 'evict-tags', 'soft-evict-tags', 'put'],
  }),
  away: (plan, random) => ({
    ...QUICK,
    caches: plan.caches.map(shared),
    faults: [
      'hang',
      'disconnect',
      'refuse',
      'lose-replies',
      random.pick(['failover', 'read-only']),
    ],
    operations: [
      ...READS,
      ...(['set', 'set', 'set', 'put', 'evict', 'soft-evict', 'settle-evict'] as const),
      ...(['evict-tags', 'soft-evict-tags', 'clear'] as const),
    ],
    faultChance: 0.04,
    operationCount: plan.operationCount + 20,
  }),
  failovers: (plan) => ({
    caches: plan.caches.map(shared),
    faults: ['failover', 'failover', 'drop-key', 'delay-messages', 'lose-messages'],
    operations: [...READS, 'evict', 'evict', 'put', 'evict-tags', 'soft-evict-tags'],
    faultChance: 0.05,
  }),
}

/** A cache in both tiers whose values live longer than the run. */
function shared(cache: CachePlan): CachePlan {
  const policy = {
    ttl: LONG_LIFE_MS,
    local: true,
    remote: true,
    sync: true,
    staleIfError: 0,
    staleWhileRevalidate: 0,
    refreshAhead: false,
  } as const
  return withPolicy({ ...cache, ttlMs: LONG_LIFE_MS, usesRemote: true }, policy)
}

function withPolicy(cache: CachePlan, policy: CachePlan['policy']): CachePlan {
  return { ...cache, policy: { ...cache.policy, ...policy } }
}
