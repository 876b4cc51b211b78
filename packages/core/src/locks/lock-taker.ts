/**
 * Takes one lock for one caller: its turn within this process, the shared store, and where that is away and the caller
 * agrees, a lock within this process instead.
 *
 * That last one must not be a second truth. A caller that falls back knows nothing of the store, but may not get in beside a
 * holder of this process who has the lock from there; nor may the store, once it is back, let somebody of this process in
 * beside one who fell back. So whoever is granted the shared lock takes the one of this process as well, on top (its
 * mirror), and waits for it if need be. Nobody waits in a circle: who holds a lock of this process works, and waits for
 * nothing of this lock.
 */

import type { Clock } from '../contracts/clock.ts'
import { LockTimeoutError, LockUnavailableError } from '../errors/lock-error.ts'
import { isStoreKeyError, StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { Hold, type Mirror } from './hold.ts'
import { claimLock, type Grant } from './lock-claim.ts'
import type { ResolvedLockOptions } from './lock-options.ts'
import type { LockStore } from './lock-store.ts'
import { awaitTurn, LockTurns } from './lock-turns.ts'
import type { LockWakeUps } from './lock-wake-ups.ts'

export interface LockTakerParts {
  readonly store: LockStore
  /** Locks of this process, where `store` has shared ones. */
  readonly fallback: LockStore | undefined
  readonly clock: Clock
  readonly wakeUps: LockWakeUps
  readonly work: BackgroundWork
}

/** One caller and the lock it wants. */
export interface Wanted {
  readonly name: string
  readonly options: ResolvedLockOptions
  /** When the caller began to wait. */
  readonly since: number
  /** Aborts when the caller or the manager gives up. */
  readonly signal: AbortSignal
  /** The caller has just fallen back for another of its locks: it does not find out anew, for each, that the store is away. */
  readonly isBesideStore?: boolean
}

export class LockTaker {
  readonly #parts: LockTakerParts
  readonly #turns = new LockTurns()

  constructor(parts: LockTakerParts) {
    this.#parts = parts
  }

  /** @throws LockTimeoutError when it stayed held; LockUnavailableError; the signal's reason */
  async take(wanted: Wanted): Promise<Hold> {
    const { store, fallback } = this.#parts
    if (fallback === undefined) return this.#hold(store, wanted, await this.#claimInTurn(wanted))
    for (;;) {
      const hold = await this.#takeBeside(fallback, wanted)
      if (hold !== undefined) return hold
      if (this.#leftMs(wanted) <= 0) throw new LockTimeoutError(wanted.name, wanted.options.waitMs)
    }
  }

  /** Nothing when it came to nothing in a way that makes another try worth while. */
  async #takeBeside(fallback: LockStore, wanted: Wanted): Promise<Hold | undefined> {
    const { store } = this.#parts
    if (wanted.isBesideStore) {
      return this.#hold(fallback, wanted, await this.#claim(fallback, wanted))
    }
    let grant: Grant
    try {
      grant = await this.#claimInTurn(wanted)
    } catch (error) {
      if (!wanted.options.fallsBack || !(error instanceof LockUnavailableError)) throw error
      const hold = this.#hold(fallback, wanted, await this.#claim(fallback, wanted))
      // Whoever waited here may have outlasted the outage.
      const isWorthAsking = isWellAgain(store, error) && this.#leftMs(wanted) > 0
      if (!isWorthAsking) return hold
      await hold.release()
      return undefined
    }
    const hold = this.#hold(store, wanted, grant)
    try {
      hold.mirror = await this.#mirror(fallback, wanted)
    } catch (error) {
      await hold.release().catch(() => false)
      throw error
    }
    if (hold.isHeld) return hold
    hold.endMirror()
    this.#inBackground(hold.release())
    return undefined
  }

  async #mirror(fallback: LockStore, wanted: Wanted): Promise<Mirror> {
    // It stands for the shared one, however long that is renewed.
    const { maxHoldMs, leaseMs } = wanted.options
    const options = { ...wanted.options, leaseMs: maxHoldMs + leaseMs, replicas: undefined }
    const { target } = await this.#claim(fallback, { ...wanted, options })
    return {
      prolong: (ms) => this.#inBackground(fallback.renew(target, ms, ms, false)),
      end: () => this.#inBackground(fallback.release(target)),
    }
  }

  #claim(store: LockStore, wanted: Wanted): Promise<Grant> {
    const { clock, wakeUps } = this.#parts
    const inBackground = (task: Promise<unknown>): void => this.#inBackground(task)
    return claimLock({ ...wanted, store, clock, wakeUps, inBackground })
  }

  async #claimInTurn(wanted: Wanted): Promise<Grant> {
    const { store, clock, wakeUps } = this.#parts
    const { name, options } = wanted
    // One try needs no turn, and those who share need not wait for each other.
    const takesTurns = !options.isGlobal && options.waitMs > 0 && options.mode === 'write'
    if (!takesTurns) return this.#claim(store, wanted)
    // Whoever wants replicas may fail where others do not.
    const turn = options.replicas === undefined ? name : `${name}\n${options.replicas.min}`
    const turns = this.#turns
    // Without a wait where it is free: whoever called first is to ask first, also of those who take no turns.
    if (!turns.takeIfFree(turn)) await this.#awaitTurn(turn, wanted)
    try {
      const grant = await claimLock({
        ...wanted,
        store,
        clock,
        wakeUps,
        inBackground: (task) => this.#inBackground(task),
        onLearnt: (learnt) => turns.learn(turn, learnt),
      })
      turns.learn(turn, 'held')
      turns.pass(turn)
      return grant
    } catch (error) {
      if (!(error instanceof LockUnavailableError)) turns.pass(turn)
      // After this caller has gone on: who falls back is to come before those who stood behind it.
      else process.nextTick(() => turns.fail(turn, error.cause))
      throw error
    }
  }

  async #awaitTurn(turn: string, wanted: Wanted): Promise<void> {
    const { store, clock } = this.#parts
    const { name, options, signal } = wanted
    const turns = this.#turns
    if (store.isKnownAway) {
      throw new LockUnavailableError(name, new StoreUnavailableError('locks.acquire'))
    }
    const ms = this.#leftMs(wanted)
    const outcome = await awaitTurn(turns, { name: turn, ms, clock, signal })
    if (outcome === 'begun') return
    if (outcome !== 'over') throw new LockUnavailableError(name, outcome.cause)
    const learnt = turns.learnt(turn)
    if (learnt === 'held') throw new LockTimeoutError(name, options.waitMs)
    // Whoever asks for all has had no answer yet, or a failure: nobody can say that the lock is held.
    const cause =
      learnt === 'nothing' ? new StoreTimeoutError('locks.acquire', options.waitMs) : learnt.cause
    throw new LockUnavailableError(name, cause)
  }

  #hold(store: LockStore, { options }: Wanted, grant: Grant): Hold {
    const { leaseMs, maxHoldMs } = options
    const { clock } = this.#parts
    const replicas = options.replicas?.min ?? 0
    return new Hold({ store, clock, leaseMs, maxHoldMs, replicas, ...grant })
  }

  #leftMs({ since, options }: Wanted): number {
    return since + options.waitMs - this.#parts.clock.now()
  }

  #inBackground(task: Promise<unknown>): void {
    this.#parts.work.run(
      'leave a lock',
      task.catch(() => undefined),
    )
  }
}

/** True when a store that could not say answers again; an answer about one key was one all along. */
function isWellAgain(store: LockStore, error: LockUnavailableError): boolean {
  return store.failingSince === undefined && !isStoreKeyError(error.cause)
}
