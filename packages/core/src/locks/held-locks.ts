/**
 * Takes locks as callers ask for them, hands them over, and takes them back.
 *
 * Several names are taken in sorted order, the same for everybody, so that no circle of waiting arises; all or none.
 */

import type { Clock } from '../contracts/clock.ts'
import type { LockProvider } from '../contracts/lock-provider.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { LockLostError, LockTimeoutError, LockUnavailableError } from '../errors/lock-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { OpenTrace } from '../events/open-trace.ts'
import type { LockTrace } from '../events/traces.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { linkSignals } from '../lifecycle/link-signals.ts'
import { PassingList } from '../lifecycle/passing.ts'
import type { Hold } from './hold.ts'
import { HoldPart } from './hold-part.ts'
import { HeldLock, type Lock } from './lock.ts'
import { assertCovers, assertPossible } from './lock-checks.ts'
import type { ResolvedLockOptions } from './lock-options.ts'
import { LockReports } from './lock-reports.ts'
import { enclosingPart, runInside } from './lock-scope.ts'
import { LockStore } from './lock-store.ts'
import { LockTaker, type Wanted } from './lock-taker.ts'
import { LockWakeUps } from './lock-wake-ups.ts'

export interface LocksParts {
  readonly namespace: string
  readonly provider: LockProvider
  /** For `onUnavailable: 'local'`. */
  readonly fallback: LockProvider | undefined
  /** Precise: a reading from the beginning of a long turn of the event loop would make a term look longer than it is. */
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
}

export class HeldLocks {
  readonly #parts: LocksParts
  readonly #store: LockStore
  readonly #fallback: LockStore | undefined
  readonly #taker: LockTaker
  readonly #reports: LockReports
  readonly #closing = new AbortController()
  readonly #held = new PassingList<HeldLock>()

  constructor(parts: LocksParts) {
    this.#parts = parts
    const { provider, fallback, clock, namespace, work, events } = parts
    this.#reports = new LockReports(events, clock, namespace)
    const wakeUps = new LockWakeUps(clock)
    this.#store = new LockStore(provider, clock)
    this.#fallback = fallback === undefined ? undefined : new LockStore(fallback, clock)
    this.#taker = new LockTaker({
      store: this.#store,
      fallback: this.#fallback,
      clock,
      wakeUps,
      work,
    })
    for (const each of [provider, fallback]) {
      if (each === undefined) continue
      each.onWake = (owner) => wakeUps.wake(owner)
      each.open(namespace)
    }
  }

  get store(): LockStore {
    return this.#store
  }

  /** The stores that decide: the shared one, and what stands in for it. */
  get stores(): readonly LockStore[] {
    return this.#fallback === undefined ? [this.#store] : [this.#store, this.#fallback]
  }

  /** Checks options against what the provider can do. @throws InvalidOptionError */
  assertPossible(options: ResolvedLockOptions, where: string): void {
    assertPossible(options, this.#parts, where)
  }

  /** Takes locks; `isRun`: for work that ends by itself. @throws as `locks.acquire` */
  async acquire(
    names: readonly string[],
    options: ResolvedLockOptions,
    isRun: boolean,
  ): Promise<HeldLock> {
    const since = this.#parts.clock.now()
    const { signal, unlink } = linkSignals(this.#closing.signal, options.signal)
    try {
      for (;;) {
        const parts = await this.#takeAll(names, { options, since, signal }, isRun)
        // While the last lock was waited for, an earlier one may have been lost.
        const lost = parts.find(({ hold }) => !hold.isHeld)
        if (lost === undefined) return this.#hand(parts, options)
        await this.#giveBack(parts)
        const { name } = lost.hold.target
        const isOver = this.#parts.clock.now() - since >= options.waitMs
        if (isOver) throw this.#failed(new LockTimeoutError(name, options.waitMs), { name, since })
      }
    } finally {
      unlink()
    }
  }

  /** Runs work under locks. Takes what `lockNames` made of the keys, and options that are checked. @throws as `locks.run` */
  async run<Result>(
    names: readonly string[],
    options: ResolvedLockOptions,
    work: (lock: Lock) => Promise<Result> | Result,
  ): Promise<Result> {
    const lock = await this.acquire(names, options, true)
    let result: Result
    try {
      result = await runInside(this, lock, () => work(lock))
    } catch (error) {
      await lock.untilAlone()
      // The work's own error says more than the state of the lock.
      await lock.release()
      throw error
    }
    await lock.untilAlone()
    await lock.release()
    if (lock.wasLost && !options.ignoresLoss) throw new LockLostError(lock.keys.join(', '), result)
    return result
  }

  /** Ends all waiting, gives back what is held, and closes the providers. */
  async close(): Promise<void> {
    const closed = new ClosedError()
    this.#closing.abort(closed)
    const released = this.#held.values().map(async (lock) => {
      lock.lose(closed)
      await lock.release()
    })
    await Promise.all(released)
    await Promise.allSettled([this.#parts.provider.close(), this.#parts.fallback?.close()])
    this.#store.close()
    this.#fallback?.close()
  }

  /** All or none; in the order of the names. */
  async #takeAll(
    names: readonly string[],
    wanted: Omit<Wanted, 'name'>,
    isRun: boolean,
  ): Promise<readonly HoldPart[]> {
    const parts: HoldPart[] = []
    try {
      for (const name of names) {
        const isBesideStore = parts.some(({ hold }) => hold.store !== this.#store)
        const share = this.#share(name, wanted.options, isRun)
        const take = (): Promise<Hold> => this.#take({ ...wanted, name, isBesideStore })
        parts.push(share ?? HoldPart.first(await take(), isRun))
      }
      return parts
    } catch (error) {
      await this.#giveBack(parts)
      throw error
    }
  }

  #hand(parts: readonly HoldPart[], options: ResolvedLockOptions): HeldLock {
    const giveBack = (): Promise<boolean> => {
      this.#held.delete(place)
      return this.#giveBack(parts)
    }
    const lock = new HeldLock({ parts, ignoresLoss: options.ignoresLoss, giveBack })
    const place = this.#held.add(lock)
    return lock
  }

  /**
   * A share in the lock that an enclosing `run` holds on the same name.
   *
   * @throws InvalidOptionError where the outer lock is weaker than what is asked for; LockUnavailableError where the outer lock
   *   excludes only this process and the caller did not agree to that
   */
  #share(name: string, options: ResolvedLockOptions, isRun: boolean): HoldPart | undefined {
    const part = enclosingPart(this, name)
    if (part === undefined) return undefined
    assertCovers(part.hold, options)
    const isLocal = part.hold.store !== this.#store
    if (!isLocal || options.fallsBack) return part.share(isRun)
    const cause = new Error('The running code holds it within this process only.')
    const since = this.#parts.clock.now()
    throw this.#failed(new LockUnavailableError(name, cause), { name, since })
  }

  async #take(wanted: Wanted): Promise<Hold> {
    const { name, since } = wanted
    const trace = this.#reports.waiting(name)
    let hold: Hold
    try {
      hold = await this.#taker.take(wanted)
    } catch (error) {
      throw this.#failed(error, { name, since }, trace)
    }
    trace?.end({ outcome: 'granted', source: hold.store.provider.name })
    hold.onLost(() => this.#reports.ended(hold, 'lost'))
    this.#reports.granted(hold, since)
    return hold
  }

  /** Resolves with whether the store still knew every lock that went back to it. */
  async #giveBack(parts: readonly HoldPart[]): Promise<boolean> {
    const [first] = parts
    if (first !== undefined && parts.length === 1) return this.#giveOneBack(first)
    const outcomes = await Promise.all(parts.map((part) => this.#giveOneBack(part)))
    return outcomes.every(Boolean)
  }

  /** A store that is away counts as knowing the lock, because the holder's clock said that it was still held. */
  async #giveOneBack(part: HoldPart): Promise<boolean> {
    const { hold } = part
    const wasLost = hold.isLost
    let wasKnown: boolean | undefined
    try {
      wasKnown = await part.end()
    } catch {
      this.#reports.ended(hold, 'release-failed')
      return !wasLost
    }
    // Other parts still hold it.
    if (wasKnown === undefined) return !wasLost
    if (!wasLost) this.#reports.ended(hold, wasKnown ? 'released' : 'lost')
    return wasKnown
  }

  #failed(
    error: unknown,
    subject: Pick<Wanted, 'name' | 'since'>,
    trace?: OpenTrace<LockTrace>,
  ): unknown {
    return this.#reports.failed(error, { ...subject, store: this.#store }, trace)
  }
}
