/**
 * Waiting for one lock, from the first question to the grant.
 *
 * The store keeps the queue; this file only asks. A wake-up says that asking again is worthwhile. The reply to each question
 * says when to ask again at the latest, so a lost wake-up costs one heartbeat and never the lock.
 *
 * Races: a reply that comes after the deadline of its call may have been a grant. So a caller that stops asking, for any
 * reason, sends `leave`, which also gives back what was granted unseen. A grant whose term is over when its reply is read
 * (because this process was held up) is given back as well.
 */

import { randomBytes } from 'node:crypto'
import type { Clock } from '../contracts/clock.ts'
import type { AcquireRequest, LockTarget } from '../contracts/lock-provider.ts'
import { LockTimeoutError, LockUnavailableError } from '../errors/lock-error.ts'
import { isSetupError } from '../errors/reason-of.ts'
import { isStoreKeyError, StoreTimeoutError } from '../errors/store-error.ts'
import { termEnd } from './hold.ts'
import type { ResolvedLockOptions } from './lock-options.ts'
import { LOCK_STORE_TIMEOUT_MS, type LockStore } from './lock-store.ts'
import type { Learnt } from './lock-turns.ts'
import type { LockWaiter, LockWakeUps } from './lock-wake-ups.ts'

/**
 * Owners are this process's 128 random bits and a number. They are as unique as fresh random bits, which cost a system call each.
 */
const PROCESS_ID = randomBytes(16).toString('base64url')
let attempts = 0
/** A waiter shows itself this often, and is considered dead after twice as long. */
const HEARTBEAT_MS = 1_000
/** Pause between questions to a store that refuses at once. */
const RETRY_MS = 50

export interface AskParts {
  readonly name: string
  readonly store: LockStore
  readonly clock: Clock
  readonly wakeUps: LockWakeUps
  readonly options: ResolvedLockOptions
  /** When the caller began to wait. */
  readonly since: number
  /** Aborts when the caller or the manager gives up. */
  readonly signal: AbortSignal
  /** Takes over what continues after the caller has its answer. */
  inBackground(work: Promise<unknown>): void
  /** Is told what each answer says, for the callers that wait behind this one. */
  onLearnt?(learnt: Learnt): void
}

export interface Grant {
  readonly target: LockTarget
  readonly fence: number
  readonly sentAt: number
}

/**
 * Asks until the lock is granted.
 *
 * @throws LockTimeoutError when it stayed held; LockUnavailableError; the signal's reason
 */
export async function askForLock(parts: AskParts): Promise<Grant> {
  attempts += 1
  const { mode, permits, weight, termMs, replicas, waitMs } = parts.options
  const request: AcquireRequest = {
    name: parts.name,
    mode,
    owner: `${PROCESS_ID}.${attempts.toString(36)}`,
    permits,
    weight,
    termMs,
    replicas,
    heartbeatMs: waitMs > 0 ? HEARTBEAT_MS : 0,
  }
  const waiter = parts.wakeUps.expect(request.owner)
  try {
    return await askUntilGranted(parts, request, waiter)
  } catch (error) {
    parts.inBackground(parts.store.leave(request).catch(() => undefined))
    throw error
  } finally {
    waiter.done()
  }
}

async function askUntilGranted(
  parts: AskParts,
  request: AcquireRequest,
  waiter: LockWaiter,
): Promise<Grant> {
  const { name, store, clock, options, since, signal } = parts
  const { termMs, waitMs } = options
  const failures = new Failures(store, clock, options)
  for (;;) {
    signal.throwIfAborted()
    const sentAt = clock.now()
    let pauseMs = RETRY_MS
    // Around the reading of the reply, too: a provider that answers with something else has not granted the lock.
    try {
      const reply = await store.acquire(request)
      signal.throwIfAborted()
      const isInTime = clock.now() < termEnd(sentAt, termMs)
      if (reply.kind === 'granted' && isInTime) {
        return { target: request, fence: reply.fence, sentAt }
      }
      failures.forget()
      parts.onLearnt?.('held')
      pauseMs = reply.kind === 'held' ? reply.retryInMs : 0
    } catch (cause) {
      signal.throwIfAborted()
      // A fault that does not pass by itself is not waited for.
      if (isSetupError(cause)) throw cause
      parts.onLearnt?.({ cause })
      if (failures.areFinal(cause, sentAt)) throw new LockUnavailableError(name, cause)
    }
    const leftMs = since + waitMs - clock.now()
    if (leftMs <= 0) {
      if (failures.last !== undefined) throw new LockUnavailableError(name, failures.last.cause)
      throw new LockTimeoutError(name, waitMs)
    }
    await waiter.wait(Math.min(pauseMs, leftMs), signal)
  }
}

/**
 * What one caller knows of the store's trouble. A broken connection is worth another try for as long as one call may take.
 * That time belongs to the store and not to this caller: what other callers found out need not be found out again.
 */
class Failures {
  readonly #store: LockStore
  readonly #clock: Clock
  readonly #options: ResolvedLockOptions
  #since: number | undefined
  last: { readonly cause: unknown } | undefined

  constructor(store: LockStore, clock: Clock, options: ResolvedLockOptions) {
    this.#store = store
    this.#clock = clock
    this.#options = options
  }

  forget(): void {
    this.#since = undefined
    this.last = undefined
  }

  /** Notes a failure. True when asking again is useless. */
  areFinal(cause: unknown, sentAt: number): boolean {
    this.last = { cause }
    // Something wrong under a key stays wrong; missing replicas may still come.
    if (isStoreKeyError(cause) && this.#options.replicas === undefined) return true
    // The outcome of a call is unknown when this process stood still meanwhile; asking again finds it out.
    if (cause instanceof StoreTimeoutError && cause.wasHeldUp) return false
    this.#since ??= sentAt
    return this.#store.isKnownAway || this.#clock.now() - this.#since >= LOCK_STORE_TIMEOUT_MS
  }
}
