/** Turns the outcome of a load into what the tiers keep: how long, under which tags, in which bytes. */

import type { Stamp } from '../coherence/coherence.ts'
import { encodeEntry, FLAG } from '../entry/envelope.ts'
import { freezeDeep } from '../entry/freeze.ts'
import { type EntryKind, type EntryTimes, LocalEntry } from '../entry/local-entry.ts'
import type { Policy } from '../options/cache-options.ts'
import { randomId } from './lease.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { calmUntil } from './remote-entry.ts'
import type { EncodedValue } from './value-pipeline.ts'

/** Durations after creation, ms; each includes the one before. */
export interface Lifetimes {
  readonly freshForMs: number
  readonly staleForMs: number
  readonly livesForMs: number
}

/** A result that is to be kept. */
export interface Keepable {
  readonly kind: EntryKind
  readonly value: unknown
  readonly loadMs: number
  readonly tags: readonly string[]
  readonly lifetimes: Lifetimes
}

/** What of a call decides how its result is kept. */
export type KeepRules = Pick<ReadCall, 'policy' | 'tags' | 'tagsOf' | 'ttlOf' | 'storeWhen'>

/** Returns how a value or negative result is to be kept, or `undefined` when it is not. */
export function keepable(
  rules: KeepRules,
  result: { readonly kind: 'value' | 'negative'; readonly value: unknown; readonly loadMs: number },
): Keepable | undefined {
  const { policy } = rules
  if (rules.storeWhen?.(result.value) === false) return undefined
  if (result.kind === 'negative' && policy.negativeTtlMs === 0) return undefined
  const ttlMs = rules.ttlOf?.(result.value)
  if (ttlMs === 0) return undefined
  const lifetimes =
    result.kind === 'negative'
      ? shortLife(policy, ttlMs ?? policy.negativeTtlMs)
      : fullLife(policy, ttlMs ?? policy.ttlMs)
  const more = rules.tagsOf?.(result.value)
  const tags =
    more === undefined || more.length === 0 ? rules.tags : [...new Set([...rules.tags, ...more])]
  return { kind: result.kind, value: result.value, loadMs: result.loadMs, tags, lifetimes }
}

/** Returns how a load error is to be remembered for `ttlMs`. */
export function keepableError(
  rules: KeepRules,
  error: unknown,
  ttlMs: number,
  loadMs: number,
): Keepable {
  return {
    kind: 'error',
    value: error,
    loadMs,
    tags: rules.tags,
    lifetimes: shortLife(rules.policy, ttlMs),
  }
}

/** Makes the local entry of something just loaded or put; nothing it stands on is in the store yet (`commit` 0). */
export function localEntryOf(
  node: CacheNode,
  policy: Policy,
  kept: Keepable,
  place: { readonly partition: number; readonly stamp: Stamp },
): LocalEntry {
  if (policy.isolation === 'frozen' && kept.kind !== 'error') freezeDeep(kept.value)
  const times = timesFromNow(node.clock.now(), kept.lifetimes, kept.loadMs, policy.refreshBeta)
  const { stamp, partition } = place
  return new LocalEntry(kept, times, {
    commit: 0,
    birth: stamp.birth,
    tags: kept.tags,
    partition,
    seq: stamp.seq,
    generation: stamp.generation,
    verifiedAt: stamp.at,
  })
}

/** Returns the stored form of something encoded, under a new commit id. */
export function storedForm(
  policy: Policy,
  kept: Keepable,
  birth: number,
  encoded: EncodedValue,
): { readonly bytes: Buffer; readonly commit: number } {
  const commit = randomId()
  const bytes = encodeEntry({
    flags: kept.kind === 'value' ? 0 : FLAG[kept.kind],
    commit,
    birth,
    ...kept.lifetimes,
    loadMs: kept.loadMs,
    schema: policy.schema,
    steps: encoded.steps,
    tags: kept.tags,
    payload: encoded.payload,
  })
  return { bytes, commit }
}

function fullLife(policy: Policy, ttlMs: number): Lifetimes {
  const freshForMs = jittered(ttlMs, policy.jitter)
  const staleForMs = freshForMs + policy.staleWhileRevalidateMs
  return { freshForMs, staleForMs, livesForMs: staleForMs + policy.staleIfErrorMs }
}

function shortLife(policy: Policy, ttlMs: number): Lifetimes {
  const forMs = jittered(ttlMs, policy.jitter)
  return { freshForMs: forMs, staleForMs: forMs, livesForMs: forMs }
}

function jittered(ttlMs: number, jitter: number): number {
  return Math.max(1, Math.round(ttlMs * (1 - jitter * Math.random())))
}

function timesFromNow(now: number, life: Lifetimes, loadMs: number, beta: number): EntryTimes {
  const freshUntil = now + life.freshForMs
  return {
    calmUntil: calmUntil(freshUntil, loadMs, beta),
    freshUntil,
    staleUntil: now + life.staleForMs,
    livesUntil: now + life.livesForMs,
  }
}
