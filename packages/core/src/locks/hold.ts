/**
 * One lease on one lock, as its holder may see it.
 *
 * The store ends a lease on its clock, and this process cannot see that clock. So the holder counts from *before* it asked,
 * on its own monotonic clock, and takes a hundredth off for clocks that run at different speeds: it thinks itself out
 * before the store lets the next one in. Nothing it learns later (a hung server, a lost reply) can make that longer than
 * the last renewal that was both sent and confirmed.
 *
 * A timer ends the hold at that moment even when no reply comes; where the event loop stood still, so that the timer could
 * not run, `isHeld` looks at the clock.
 *
 * A hold is owned in parts, by the one who took it and by those who share in it (`hold-part.ts`), and goes back to the store
 * with the last of them.
 */

import type { CancelTimer, Clock } from '../contracts/clock.ts'
import type { LockTarget } from '../contracts/lock-provider.ts'
import { LOCK_STORE_TIMEOUT_MS, type LockStore } from './lock-store.ts'

/** Clocks of two machines may run apart by this much. */
const DRIFT = 0.01
const MARGIN_MS = 2
/** The first try after a third of the lease; a second one fits before its end. */
const RENEW_AFTER = 1 / 3
const RETRY_AFTER = 1 / 10

/** When a holder stops believing in a lease that it asked for at `sentAt`. */
export function leaseEnd(sentAt: number, leaseMs: number): number {
  return sentAt + leaseMs * (1 - DRIFT) - MARGIN_MS
}

const NOBODY: readonly (() => void)[] = []

/** What stands for a shared lock among the locks of this process, for those who fall back to them. */
export interface Mirror {
  /** The shared lock lives for at least so much longer. */
  prolong(ms: number): void
  end(): void
}

export interface HoldParts {
  readonly store: LockStore
  readonly clock: Clock
  readonly target: LockTarget
  readonly fence: number
  readonly leaseMs: number
  readonly maxHoldMs: number
  /** How many replicas had the grant, at least. */
  readonly replicas: number
  /** When the request was sent that was granted. */
  readonly sentAt: number
}

export class Hold {
  readonly target: LockTarget
  readonly fence: number
  readonly store: LockStore
  /** Told, once, when the lease ends before it was released. */
  onLost: readonly (() => void)[] = NOBODY
  mirror: Mirror | undefined
  readonly #parts: HoldParts
  #endsAt: number
  #state: 'held' | 'lost' | 'released' = 'held'
  #validUntil: number
  #renewAt: number
  #isRenewing = false
  #cancel: CancelTimer | undefined

  constructor(parts: HoldParts) {
    this.#parts = parts
    this.target = parts.target
    this.fence = parts.fence
    this.store = parts.store
    this.#endsAt = parts.sentAt + parts.maxHoldMs
    this.#validUntil = leaseEnd(parts.sentAt, parts.leaseMs)
    this.#renewAt = parts.sentAt + parts.leaseMs * RENEW_AFTER
    this.#plan()
  }

  /** How many replicas had the grant, at least. */
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

  /** Stops renewing at once; resolves with whether the store still knew the lease. */
  release(): Promise<boolean> {
    const wasHeld = this.isHeld
    if (this.#state === 'held') this.#state = 'released'
    this.#cancel?.()
    this.endMirror()
    return this.store.release(this.target).then((wasKnown) => wasHeld && wasKnown)
  }

  /**
   * Renews the lease from now on for `ms` more, whatever `maxHold` said; 0: no more, so that the lock ends with its lease.
   * `atLeast`: only where that is longer than what holds already.
   */
  renewFor(ms: number, atLeast: boolean): void {
    const endsAt = this.#parts.clock.now() + ms
    this.#endsAt = atLeast ? Math.max(this.#endsAt, endsAt) : endsAt
    this.mirror?.prolong(ms + this.#parts.leaseMs)
    this.#plan()
  }

  /**
   * Makes the lease last for at least `ms` from now, at once. Resolves with whether the lock is held.
   *
   * @throws what the store rejects with; the lease is then what it was
   */
  async extend(ms: number): Promise<boolean> {
    if (!this.isHeld) return false
    const { clock, leaseMs } = this.#parts
    const sentAt = clock.now()
    this.mirror?.prolong(ms + leaseMs)
    const isProlonged = await this.store.renew(this.target, ms, LOCK_STORE_TIMEOUT_MS, true)
    if (!this.isHeld) return false
    if (!isProlonged) {
      this.#lose()
      return false
    }
    this.#validUntil = Math.max(this.#validUntil, leaseEnd(sentAt, ms))
    // The next renewal is of the usual length: it is due where that is longer than what is left.
    this.#renewAt = Math.max(this.#renewAt, this.#validUntil - leaseMs * (1 - RENEW_AFTER))
    this.#plan()
    return true
  }

  /** One timer for whatever comes first, the next renewal or the end. */
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
    const { clock, leaseMs } = this.#parts
    const sentAt = clock.now()
    // The last lease ends where `maxHold` does.
    const lease = Math.max(1, Math.min(leaseMs, this.#endsAt - sentAt))
    this.#isRenewing = true
    this.#plan()
    try {
      const timeoutMs = Math.max(1, Math.min(leaseMs * RENEW_AFTER, this.#validUntil - sentAt))
      const isProlonged = await this.store.renew(this.target, lease, timeoutMs, false)
      if (!this.isHeld) return
      if (!isProlonged) {
        this.#lose()
        return
      }
      this.#validUntil = Math.max(this.#validUntil, leaseEnd(sentAt, lease))
      this.#renewAt = Math.max(this.#renewAt, sentAt + leaseMs * RENEW_AFTER)
    } catch {
      // Nobody knows whether it was prolonged; the old end stands.
      this.#renewAt = clock.now() + leaseMs * RETRY_AFTER
    } finally {
      this.#isRenewing = false
    }
    this.#plan()
  }

  #lose(): void {
    if (this.#state !== 'held') return
    this.#state = 'lost'
    this.#cancel?.()
    this.endMirror()
    for (const tell of this.onLost) tell()
  }

  /** The lock of this process that stands for this one is free again. */
  endMirror(): void {
    this.mirror?.end()
    this.mirror = undefined
  }
}
