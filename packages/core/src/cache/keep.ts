/** Turns the outcome of a load into what the tiers keep: how long, and under which tags. */

import { freezeDeep } from '../entry/freeze.ts'
import { calmFor, type EntryKind, LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { Emitter } from '../events/emitter.ts'
import type { CacheEvents } from '../events/events.ts'
import type { Policy } from '../options/cache-options.ts'
import { parseDuration } from '../options/duration.ts'
import { knownNow } from './known-now.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { UNSHARED_MS } from './unshared-keys.ts'

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
  /** What the store gets in its place, if that is something else (`toPlain`). */
  readonly plain?: unknown
  readonly loadMs: number
  readonly tags: readonly string[]
  readonly lifetimes: Lifetimes
  /** Written on purpose, and not by a load. */
  readonly isPut?: boolean | undefined
  /** Loaded by a refresh. */
  readonly isRefreshed?: boolean | undefined
}

/** What of a call decides how its result is kept. */
type Keeping = Pick<ReadCall, 'policy' | 'rules' | 'cache' | 'fullKey'>

/**
 * Returns how a value or negative result is to be kept, or `undefined` when it is not. It is not either when a callback
 * gives no good answer, which is an event: the result is there, and it is the caller's.
 */
export function keepable(
  call: Keeping,
  result: { readonly kind: 'value' | 'negative'; readonly value: unknown; readonly loadMs: number },
  events: Emitter,
): Keepable | undefined {
  const { policy, rules } = call
  const { value } = result
  const { storeWhen, ttlOf, tagsOf } = rules
  const stores = storeWhen && ask(call, events, 'unless', () => storeWhen(value))
  if (stores === NO_ANSWER || stores === false) return undefined
  if (result.kind === 'negative' && policy.negativeTtlMs === 0) return undefined
  const ttlMs = ttlOf && ask(call, events, 'ttl', () => ttlOf(value))
  if (ttlMs === NO_ANSWER || ttlMs === 0) return undefined
  const windows = windowsOf(call, value, events)
  if (windows === NO_ANSWER) return undefined
  const lifetimes =
    result.kind === 'negative'
      ? shortLife(policy, ttlMs ?? policy.negativeTtlMs)
      : fullLife(policy, ttlMs ?? policy.ttlMs, windows)
  const more = tagsOf && ask(call, events, 'tags', () => tagsOf(value))
  if (more === NO_ANSWER) return undefined
  const tags =
    more === undefined || more.length === 0 ? rules.tags : [...new Set([...rules.tags, ...more])]
  return { kind: result.kind, value: result.value, loadMs: result.loadMs, tags, lifetimes }
}

/** The stale windows of one value, ms. */
interface Windows {
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
}

function windowsOf(call: Keeping, value: unknown, events: Emitter): Windows | typeof NO_ANSWER {
  const { policy, rules } = call
  const { staleWhileRevalidateOf, staleIfErrorOf } = rules
  if (staleWhileRevalidateOf === undefined && staleIfErrorOf === undefined) return policy
  const option = 'staleWhileRevalidate'
  const whileRevalidating =
    staleWhileRevalidateOf && ask(call, events, option, () => staleWhileRevalidateOf(value))
  const ifError = staleIfErrorOf && ask(call, events, 'staleIfError', () => staleIfErrorOf(value))
  if (whileRevalidating === NO_ANSWER || ifError === NO_ANSWER) return NO_ANSWER
  return {
    staleWhileRevalidateMs: whileRevalidating ?? policy.staleWhileRevalidateMs,
    staleIfErrorMs: ifError ?? policy.staleIfErrorMs,
  }
}

/**
 * For how long loads of the key are not shared after this result, ms; 0 where it may be shared. A callback without a good answer
 * must not hand one caller's result to others.
 */
export function unsharedFor(call: Keeping, value: unknown, events: Emitter): number {
  const { unsharedOf } = call.rules
  if (unsharedOf === undefined) return 0
  const forMs = ask(call, events, 'unshared', () => unsharedOf(value))
  return forMs === NO_ANSWER ? UNSHARED_MS : forMs
}

/** Returns how a load error is to be remembered, or `undefined` when it is not. */
export function keepableError(
  call: Keeping,
  { error, loadMs }: { readonly error: unknown; readonly loadMs: number },
  events: Emitter,
): Keepable | undefined {
  const { policy, rules } = call
  const ttlMs = ask(call, events, 'cacheErrors', () => errorTtl(call, error))
  if (ttlMs === NO_ANSWER || ttlMs === 0) return undefined
  return {
    kind: 'error',
    value: error,
    loadMs,
    tags: rules.tags,
    lifetimes: shortLife(policy, ttlMs),
  }
}

function errorTtl({ policy, cache }: Keeping, error: unknown): number {
  const duration = policy.cacheErrors?.(error) ?? false
  if (duration === false) return 0
  return parseDuration(knownNow(duration), `${cache}.cacheErrors`, { min: 1 })
}

const NO_ANSWER = Symbol('no answer')

/** Asks one of the user's callbacks about keeping. Whatever it does wrong must not become the outcome of the call. */
function ask<Answer>(
  { cache, fullKey }: Keeping,
  events: Emitter,
  option: CacheEvents['callback-error']['option'],
  callback: () => Answer,
): Answer | typeof NO_ANSWER {
  try {
    return knownNow(callback())
  } catch (error) {
    events.emit('callback-error', { cache, key: fullKey, option, error })
    return NO_ANSWER
  }
}

/**
 * Makes the local entry of something just loaded or put; nothing of it is in the store yet (`commit` 0). `at`: when it was
 * known good, monotonic ms.
 */
export function localEntryOf(
  node: Pick<CacheNode, 'clock'>,
  policy: Policy,
  kept: Keepable,
  { stamp, at }: { readonly stamp: Stamp; readonly at: number },
): LocalEntry {
  if (policy.isolation === 'frozen' && kept.kind !== 'error') freezeDeep(kept.value)
  const entry = new LocalEntry(kept.kind, kept.tags, stamp, stamp.birth, 0, at)
  entry.value = kept.value
  const { freshForMs, staleForMs, livesForMs } = kept.lifetimes
  const now = node.clock.now()
  const calmMs = calmFor(freshForMs, kept.loadMs, policy.refreshBeta)
  entry.createdAt = Math.floor(now)
  entry.live(now + calmMs, now + freshForMs, now + staleForMs, now + livesForMs)
  return entry
}

/** Returns the same with no lifetime above `ms`. */
export function withinMs(kept: Keepable, ms: number): Keepable {
  const { freshForMs, staleForMs, livesForMs } = kept.lifetimes
  if (livesForMs <= ms) return kept
  const lifetimes = {
    freshForMs: Math.min(ms, freshForMs),
    staleForMs: Math.min(ms, staleForMs),
    livesForMs: ms,
  }
  return { ...kept, lifetimes }
}

/** Returns the same with lifetimes that are shorter by `ms`. */
export function agedBy(kept: Keepable, ms: number): Keepable {
  const { freshForMs, staleForMs, livesForMs } = kept.lifetimes
  const left = (forMs: number): number => Math.max(0, forMs - ms)
  const lifetimes = {
    freshForMs: left(freshForMs),
    staleForMs: left(staleForMs),
    livesForMs: left(livesForMs),
  }
  return { ...kept, lifetimes }
}

function fullLife(policy: Policy, ttlMs: number, windows: Windows): Lifetimes {
  const freshForMs = jittered(ttlMs, policy.jitter)
  const staleForMs = freshForMs + windows.staleWhileRevalidateMs
  return { freshForMs, staleForMs, livesForMs: staleForMs + windows.staleIfErrorMs }
}

function shortLife(policy: Policy, ttlMs: number): Lifetimes {
  const forMs = jittered(ttlMs, policy.jitter)
  return { freshForMs: forMs, staleForMs: forMs, livesForMs: forMs }
}

function jittered(ttlMs: number, jitter: number): number {
  return Math.max(1, Math.round(ttlMs * (1 - jitter * Math.random())))
}
