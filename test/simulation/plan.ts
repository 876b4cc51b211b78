/**
 * What a seed stands for: how many nodes, which policies, which faults, how slow everything is.
 *
 * Each seed switches a random few of the features on (swarm testing, Groce et al., ISSTA 2012): a run with everything at
 * once rarely gets far enough into any one thing.
 */

import type { CacheOptions } from '@larder/core'
import { PARTITIONS, partitionOf } from '@larder/core/store'
import { type Random, randomFrom } from '../support/seed.ts'
import { isBorne } from './open.ts'
import { SourceError } from './source.ts'
import { THEME_NAMES, THEMES, type ThemeName } from './themes.ts'

export const FAULTS = [
  'lose-messages',
  'duplicate-messages',
  'reorder-messages',
  'delay-messages',
  'disconnect',
  'hang',
  'refuse',
  'lose-replies',
  'corrupt',
  'pause',
  'crash',
  'join',
  'flush',
  'drop-key',
  'failover',
  'far-back',
  'restart',
  'read-only',
  'late-writes',
  'lose-lease-replies',
  'stand-still',
  'clock-back',
  'refuse-tags',
  'foreign-messages',
  'sleep',
] as const

export type FaultKind = (typeof FAULTS)[number]

export const OPERATIONS = [
  'read',
  'peek-many',
  'read-each',
  'refresh',
  'evict',
  'evict-many',
  'soft-evict',
  'settle-evict',
  'evict-tags',
  'soft-evict-tags',
  'clear',
  'soft-clear',
  'put',
  'set',
  'update',
] as const

export type OperationKind = (typeof OPERATIONS)[number]

export interface CachePlan {
  readonly name: string
  readonly policy: CacheOptions
  readonly ttlMs: number
  readonly maxStalenessMs: number
  readonly errorBackoffMs: number
  readonly usesRemote: boolean
  /** Keys without the cache's name. */
  readonly keys: readonly string[]
}

export interface Plan {
  readonly seed: number
  /** Nothing goes wrong in this run: then messages bound staleness, and every load is accounted for. */
  readonly isCalm: boolean
  /** The store keeps all heads once more in one place, as one Redis does and a Cluster does not. */
  readonly notesHeads: boolean
  /** How many of the changes wait to be announced together; 0 for none. */
  readonly gatherChance: number
  /** What the run is about, if it is about one thing; see themes.ts. */
  readonly theme: ThemeName | undefined
  readonly nodes: number
  readonly caches: readonly CachePlan[]
  readonly faults: readonly FaultKind[]
  /** With repetitions: what occurs more often is done more often. */
  readonly operations: readonly OperationKind[]
  readonly operationCount: number
  readonly concurrency: number
  readonly storeTimeoutMs: number
  /** What a node's local tier holds. */
  readonly localEntries: number
  /** The longest a request, reply or message travels while nothing is wrong, ms. */
  readonly latencyMs: number
  /** The longest ordinary query, ms. */
  readonly queryMs: number
  readonly slowQueryChance: number
  readonly failedQueryChance: number
  readonly absentChance: number
  /** Chances per turn. */
  readonly startChance: number
  readonly timeChance: number
  readonly faultChance: number
  /** The chance that time passes, rather than the next operation starting, when nothing is under way. */
  readonly quietChance: number
  /** The longest step of time, ms. */
  readonly strideMs: number
  /** No read takes longer, ms: there is nobody to wait for. */
  readonly slowestReadMs: number
  /** The store answers everything in time, so nobody has a reason to give it up. */
  readonly isStoreBlameless: boolean
  /** What was put last and evicted by nobody is there at rest. */
  readonly keepsPuts: boolean
  /** Messages arrive, so that a node can tell the others of an eviction which the store refuses. */
  readonly hearsOfWaiting: boolean
}

/** How many runs have no faults, how many have a theme, and how many of the faults one that has some gets. */
const CALM_SHARE = 0.12
const THEME_SHARE = 0.3
const NOTED_SHARE = 0.6
const FAULT_SHARE = 0.2
const UPDATED_SHARE = 0.3

/** Few partitions, so that changes of different keys follow on each other in one log. */
export const PARTITIONS_USED = 3

/** Returns the plan of a seed. */
export function planOf(seed: number): Plan {
  const random = randomFrom(seed)
  const plan = mixedPlanOf(seed, random)
  const themes = THEME_NAMES.filter((theme) => isBorne(theme))
  if (plan.isCalm || themes.length === 0 || !random.chance(THEME_SHARE)) return withUpdates(plan)
  const theme = random.pick(themes)
  return withUpdates({ ...plan, theme, ...THEMES[theme](plan, random) })
}

/** From a row of its own, so that most of the known seeds stay what they are. */
function withUpdates(plan: Plan): Plan {
  const random = randomFrom(plan.seed + 6)
  if (!random.chance(UPDATED_SHARE)) return plan
  const some = Array.from({ length: random.pick([2, 6]) }, () => 'update' as const)
  return { ...plan, operations: [...plan.operations, ...some] }
}

function mixedPlanOf(seed: number, random: Random): Plan {
  const isCalm = random.chance(CALM_SHARE)
  const caches = ['a', 'b'].slice(0, 1 + random.int(2))
  return {
    seed,
    isCalm,
    // From a row of its own, so that the other features of known seeds stay what they are.
    notesHeads: randomFrom(seed + 3).chance(NOTED_SHARE),
    gatherChance: isCalm ? 0 : gatherChanceOf(seed),
    theme: undefined,
    nodes: 2 + random.int(3),
    caches: caches.map((name) => cachePlanOf(random, name, isCalm)),
    faults: isCalm
      ? []
      : FAULTS.filter(() => random.chance(FAULT_SHARE)).filter((fault) => isBorne(fault)),
    operations: operationsOf(random),
    operationCount: 25 + random.int(35),
    concurrency: 2 + random.int(8),
    storeTimeoutMs: random.pick([100, 250]),
    localEntries: random.pick([2, 100]),
    latencyMs: isCalm ? 15 : random.pick([5, 30, 60, 300]),
    queryMs: random.pick([5, 50, 400]),
    slowQueryChance: isCalm ? 0 : random.pick([0, 0.02, 0.15]),
    failedQueryChance: random.pick([0, 0, 0.15]),
    absentChance: random.pick([0, 0.2]),
    startChance: random.pick([0.03, 0.1, 0.2]),
    timeChance: random.pick([0.01, 0.03, 0.1]),
    faultChance: random.pick([0.01, 0.03]),
    quietChance: random.pick([0.1, 0.3, 0.8]),
    strideMs: random.pick([20, 200, 1_500]),
    slowestReadMs: Number.POSITIVE_INFINITY,
    isStoreBlameless: false,
    keepsPuts: false,
    hearsOfWaiting: false,
  }
}

/** From a row of its own, as well. Only what keeps heads in one place can let changes of all partitions wait in one. */
function gatherChanceOf(seed: number): number {
  const [notes, gathers] = [randomFrom(seed + 3), randomFrom(seed + 4)]
  return notes.chance(NOTED_SHARE) ? gathers.pick([0, 0.5, 0.9]) : 0
}

function cachePlanOf(random: Random, name: string, isCalm: boolean): CachePlan {
  const ttlMs = random.pick([800, 3_000, 12_000, 600_000])
  const maxStalenessMs = random.pick([600, 1_000, 2_000])
  const errorBackoffMs = random.pick([50, 1_000])
  const usesRemote = isCalm || random.chance(0.92)
  const cacheErrors = random.pick([undefined, undefined, rememberedFor])
  const policy: CacheOptions = {
    ttl: ttlMs,
    maxStaleness: maxStalenessMs,
    errorBackoff: errorBackoffMs,
    leaseWait: isCalm ? 3_000 : random.pick([300, 1_000, 3_000]),
    jitter: random.pick([0, 0.1]),
    staleWhileRevalidate: random.pick([0, 0, 1_000]),
    staleIfError: random.pick([0, 0, 4_000]),
    negativeTtl: random.pick([false, 700, 5_000]),
    refreshAhead: random.pick([false, false, 4]),
    local: random.chance(0.93),
    remote: usesRemote,
    sync: isCalm || random.chance(0.93),
    cacheErrors,
  }
  const keys = keysOf(name).slice(0, 2 + random.int(3))
  return { name, policy, ttlMs, maxStalenessMs, errorBackoffMs, usesRemote, keys }
}

function rememberedFor(error: unknown): number | false {
  return error instanceof SourceError ? 400 : false
}

function operationsOf(random: Random): readonly OperationKind[] {
  const reads = ['read', 'read', 'read', 'read-each', 'peek-many'] as const
  const others = OPERATIONS.filter(
    (kind) => kind !== 'update' && !reads.some((read) => read === kind),
  )
  const wanted = others.filter(() => random.chance(0.4))
  return [...reads, ...reads, ...(wanted.length === 0 ? (['evict'] as const) : wanted)]
}

/** Keys of a cache that fall into the few partitions used. */
function keysOf(cache: string): readonly string[] {
  const keys: string[] = []
  for (let n = 1; keys.length < 5 && n < 100 * PARTITIONS; n++) {
    if (partitionOf(`${cache}:k${n}`) < PARTITIONS_USED) keys.push(`k${n}`)
  }
  return keys
}

/** The tags of a key that are known from the arguments. */
export function argumentTags(key: string): readonly string[] {
  return [`t${Number(key.replace(/\D/g, '')) % 3}`]
}
