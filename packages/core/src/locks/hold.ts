/**
 * One lock as its holder sees it, for one term or several.
 *
 * A term is the time a lock is kept unless it is renewed (the option `lease`). The store ends it on the store's clock, which
 * this process cannot see. So the holder counts from *before* it asked, on its own monotonic clock, and subtracts a hundredth
 * for clocks that run at different speeds: it considers the lock lost before the store lets the next caller in. Nothing it
 * learns later (a hung server, a lost reply) can make the term longer than the last renewal that was both sent and confirmed.
 *
 * A timer ends the hold at that moment even when no reply comes. Where the event loop stood still and the timer could not run,
 * `isHeld` looks at the clock.
 *
 * A hold has parts: that of the caller that took it and those of callers that share in it (`hold-part.ts`). It goes back to the
 * store with the last of them.
 */

import type { CancelTimer, Clock } from '../contracts/clock.ts'
import type { LockTarget } from '../contracts/lock-provider.ts'
import { LOCK_STORE_TIMEOUT_MS, type LockStore } from './lock-store.ts'

/** The clocks of two machines may differ in speed by this much. */
const DRIFT = 0.01
const MARGIN_MS = 2
/** The first try comes after a third of the term; a second one fits before its end. */
const RENEW_AFTER = 1 / 3
const RETRY_AFTER = 1 / 10

/** When a holder stops relying on a term that it asked for at `sentAt`. */
export function termEnd(sentAt: number, termMs: number): number {
  return sentAt + termMs * (1 - DRIFT) - MARGIN_MS
}

/** The lock of this process that stands for a shared lock, for callers that fall back to local locks. */
export interface Mirror {
  /** Keeps it for at least `ms` more, as the shared lock is. */
  prolong(ms: number): void
  end(): void
}

export interface HoldParts {
  readonly store: LockStore
  readonly clock: Clock
  readonly target: LockTarget
  readonly fence: number
  readonly termMs: number
  readonly maxHoldMs: number
  /** At least so many replicas had the grant. */
  readonly replicas: number
  /** When the request was sent that was granted. */
  readonly sentAt: number
}

export class Hold {
  readonly target: LockTarget
  readonly fence: number
  readonly store: LockStore
  mirror: Mirror | undefined
  readonly #parts: HoldParts
  #endsAt: number
  #state: 'held' | 'lost' | 'released' = 'held'
  #validUntil: number
  #renewAt: number
  #isRenewing = false
  #cancel: CancelTimer | undefined
  #listeners: readonly (() => void)[] = []

  constructor(parts: HoldParts) {
    this.#parts = parts
    this.target = parts.target
    this.fence = parts.fence
    this.store = parts.store
    this.#endsAt = parts.sentAt + parts.maxHoldMs
    this.#validUntil = termEnd(parts.sentAt, parts.termMs)
    this.#renewAt = parts.sentAt + parts.termMs * RENEW_AFTER
    this.#plan()
  }

  /** At least so many replicas had the grant. */
  get replicas(): number {
    return this.#parts.replicas
  }

  /** When the request was sent that was granted. */
  get since(): number {
    return this.#parts.sentAt
  }

  /** True while nobody else can hold the lock. Looks at the clock, so it is right even where no timer could run. */
  get isHeld(): boolean {
    if (this.#state === 'held' && this.#parts.clock.now() >= this.#validUntil) this.#lose()
    return this.#state === 'held'
  }

  get isLost(): boolean {
    return !this.isHeld && this.#state === 'lost'
  }

  /** How much longer the lock is surely held, ms. */
  get remainingMs(): number {
    return this.isHeld ? this.#validUntil - this.#parts.clock.now() : 0
  }

  /**
   * Calls `listener` once, when the term ends before the lock was released. Returns a function that removes it. `listener` must not
   * throw.
   */
  onLost(listener: () => void): () => void {
    // The same function may be given twice.
    const own = (): void => listener()
    this.#listeners = [...this.#listeners, own]
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== own)
    }
  }

  /** Stops renewing at once. Resolves with whether the store still knew the hold. */
  release(): Promise<boolean> {
    const wasHeld = this.isHeld
    if (this.#state === 'held') this.#state = 'released'
    this.#cancel?.()
    this.endMirror()
    return this.store.release(this.target).then((wasKnown) => wasHeld && wasKnown)
  }

  /**
   * Goes on renewing for `ms` from now, whatever `maxHold` said. 0 stops renewing, so that the lock ends with its current term.
   * `atLeast`: only where that is longer than what applies already.
   */
  renewFor(ms: number, atLeast: boolean): void {
    const endsAt = this.#parts.clock.now() + ms
    this.#endsAt = atLeast ? Math.max(this.#endsAt, endsAt) : endsAt
    this.mirror?.prolong(ms + this.#parts.termMs)
    this.#plan()
  }

  /**
   * Makes the term last for at least `ms` from now, at once. Resolves with whether the lock is held.
   *
   * @throws what the store rejects with; the term is then unchanged
   */
  async extend(ms: number): Promise<boolean> {
    if (!this.isHeld) return false
    const { clock, termMs } = this.#parts
    const sentAt = clock.now()
    this.mirror?.prolong(ms + termMs)
    const isProlonged = await this.store.renew(this.target, ms, LOCK_STORE_TIMEOUT_MS, true)
    if (!this.isHeld) return false
    if (!isProlonged) {
      this.#lose()
      return false
    }
    this.#validUntil = Math.max(this.#validUntil, termEnd(sentAt, ms))
    // The next renewal has the usual length: it is due when that is longer than what is left.
    this.#renewAt = Math.max(this.#renewAt, this.#validUntil - termMs * (1 - RENEW_AFTER))
    this.#plan()
    return true
  }

  /** One timer for the next renewal or the end, whichever comes first. */
  #plan(): void {
    this.#cancel?.()
    if (this.#state !== 'held') return
    const { clock } = this.#parts
    const mayRenew = !this.#isRenewing && this.#renewAt < Math.min(this.#validUntil, this.#endsAt)
    const nextAt = mayRenew ? this.#renewAt : this.#validUntil
    const inMs = Math.max(0, Math.ceil(nextAt - clock.now()))
    this.#cancel = clock.schedule(inMs, () => this.#come(mayRenew), 'background')
  }

  #come(isForRenewal: boolean): void {
    if (!this.isHeld) return
    if (isForRenewal) void this.#renew()
    else this.#plan()
  }

  async #renew(): Promise<void> {
    const { clock, termMs } = this.#parts
    const sentAt = clock.now()
    // The last term ends where `maxHold` does.
    const termLeftMs = Math.max(1, Math.min(termMs, this.#endsAt - sentAt))
    const timeoutMs = Math.max(1, Math.min(termMs * RENEW_AFTER, this.#validUntil - sentAt))
    this.#isRenewing = true
    this.#plan()
    let isProlonged: boolean | 'unknown'
    try {
      isProlonged = await this.store.renew(this.target, termLeftMs, timeoutMs, false)
    } catch {
      // So the old end stands.
      isProlonged = 'unknown'
    }
    this.#isRenewing = false
    if (!this.isHeld) return
    if (!isProlonged) {
      this.#lose()
      return
    }
    if (isProlonged === 'unknown') this.#renewAt = clock.now() + termMs * RETRY_AFTER
    else {
      this.#validUntil = Math.max(this.#validUntil, termEnd(sentAt, termLeftMs))
      this.#renewAt = Math.max(this.#renewAt, sentAt + termMs * RENEW_AFTER)
    }
    this.#plan()
  }

  #lose(): void {
    if (this.#state !== 'held') return
    this.#state = 'lost'
    this.#cancel?.()
    this.endMirror()
    for (const tell of this.#listeners) tell()
  }

  /** The lock of this process that stands for this one is free again. */
  endMirror(): void {
    this.mirror?.end()
    this.mirror = undefined
  }
}
