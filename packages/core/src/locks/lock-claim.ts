/**
 * Waiting for one lock, from the first question to the grant.
 *
 * The store keeps the queue; here is only the asking. A wake-up says that asking again is worth while, and the reply to
 * each question says when it is at the latest, so that a lost wake-up costs a heartbeat and never the lock.
 *
 * Races: a reply that comes after the deadline of its call may have been a grant, so whoever stops asking for any reason
 * sends `leave`, which also gives back what was granted unseen. A grant whose lease is over by the time its reply is read
 * (this process was held up) is given back as well.
 */

import { randomBytes } from 'node:crypto'
import type { Clock } from '../contracts/clock.ts'
import type { AcquireRequest, LockTarget } from '../contracts/lock-provider.ts'
import { LockTimeoutError, LockUnavailableError } from '../errors/lock-error.ts'
import { isSetupError } from '../errors/reason-of.ts'
import { isStoreKeyError, StoreTimeoutError } from '../errors/store-error.ts'
import { leaseEnd } from './hold.ts'
import type { ResolvedLockOptions } from './lock-options.ts'
import { LOCK_STORE_TIMEOUT_MS, type LockStore } from './lock-store.ts'
import type { Learnt } from './lock-turns.ts'
import type { LockWaiter, LockWakeUps } from './lock-wake-ups.ts'

/**
 * Owners are this process's 128 random bits and a number: as unique as fresh random bits each, which take a system call.
 */
const PROCESS_ID = randomBytes(16).toString('base64url')
let attempts = 0
/** A waiter shows itself this often, and is taken for dead after twice as long. */
const HEARTBEAT_MS = 1_000
/** Between questions to a store that refuses at once. */
const RETRY_MS = 50

export interface ClaimParts {
  readonly name: string
  readonly store: LockStore
  readonly clock: Clock
  readonly wakeUps: LockWakeUps
  readonly options: ResolvedLockOptions
  /** When the caller began to wait. */
  readonly since: number
  /** Aborts when the caller or the manager gives up. */
  readonly signal: AbortSignal
  /** Takes over what runs on after the caller was answered. */
  inBackground(work: Promise<unknown>): void
  /** Told what each answer says, for those who wait behind. */
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
export async function claimLock(parts: ClaimParts): Promise<Grant> {
  attempts += 1
  const { mode, permits, weight, leaseMs, replicas, waitMs } = parts.options
  const request: AcquireRequest = {
    name: parts.name,
    mode,
    owner: `${PROCESS_ID}.${attempts.toString(36)}`,
    permits,
    weight,
    leaseMs,
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
  parts: ClaimParts,
  request: AcquireRequest,
  waiter: LockWaiter,
): Promise<Grant> {
  const { name, store, clock, options, since, signal } = parts
  const { leaseMs, waitMs } = options
  const failures = new Failures(store, clock, options)
  for (;;) {
    signal.throwIfAborted()
    const sentAt = clock.now()
    let pauseMs = RETRY_MS
    try {
      const reply = await store.acquire(request)
      signal.throwIfAborted()
      const isInTime = clock.now() < leaseEnd(sentAt, leaseMs)
      if (reply.kind === 'granted' && isInTime) {
        return { target: request, fence: reply.fence, sentAt }
      }
      failures.forget()
      parts.onLearnt?.('held')
      pauseMs = reply.kind === 'held' ? reply.retryInMs : 0
    } catch (cause) {
      signal.throwIfAborted()
      // What does not pass by itself is not waited for.
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
 * What a claim knows of the store's trouble. A connection that broke is worth another try, for as long as one call may take;
 * but that time is the store's, not this caller's: what others found out before need not be found out again.
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

  /** Notes a failure; true when asking again is no use. */
  areFinal(cause: unknown, sentAt: number): boolean {
    this.last = { cause }
    // What is wrong under a key stays wrong; replicas may be about to come.
    if (isStoreKeyError(cause) && this.#options.replicas === undefined) return true
    // Nobody knows what became of a call while this process stood still; asking again finds out.
    if (cause instanceof StoreTimeoutError && cause.wasHeldUp) return false
    this.#since ??= sentAt
    return this.#store.isKnownAway || this.#clock.now() - this.#since >= LOCK_STORE_TIMEOUT_MS
  }
}
