/**
 * Takes one lock for one caller: first its turn within this process, then the shared store. Where the store is away and the
 * caller agrees, it takes a lock within this process instead.
 *
 * That local lock must not contradict the shared one. A caller that falls back knows nothing of the store, but it must not get
 * in beside a holder of this process that has the lock from the store. And the store, once it is back, must not let a caller of
 * this process in beside one that fell back. So a caller that is granted the shared lock also takes the lock of this process
 * (its mirror), and waits for it if necessary. No circle of waiting can arise: a caller that holds a lock of this process is
 * working, and does not wait for anything of the same lock.
 */

import type { Clock } from '../contracts/clock.ts'
import { LockTimeoutError, LockUnavailableError } from '../errors/lock-error.ts'
import { isStoreKeyError, StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { askForLock, type Grant } from './ask-for-lock.ts'
import { Hold, type Mirror } from './hold.ts'
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
  /** This caller has just fallen back for another of its locks, so it need not find out again that the store is away. */
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
    if (fallback === undefined) return this.#hold(store, wanted, await this.#askInTurn(wanted))
    for (;;) {
      const hold = await this.#takeBeside(fallback, wanted)
      if (hold !== undefined) return hold
      if (this.#leftMs(wanted) <= 0) throw new LockTimeoutError(wanted.name, wanted.options.waitMs)
    }
  }

  /** Returns undefined when the try failed in a way that makes another try worthwhile. */
  async #takeBeside(fallback: LockStore, wanted: Wanted): Promise<Hold | undefined> {
    const { store } = this.#parts
    if (wanted.isBesideStore) {
      return this.#hold(fallback, wanted, await this.#ask(fallback, wanted))
    }
    let grant: Grant
    try {
      grant = await this.#askInTurn(wanted)
    } catch (error) {
      if (!wanted.options.fallsBack || !(error instanceof LockUnavailableError)) throw error
      const hold = this.#hold(fallback, wanted, await this.#ask(fallback, wanted))
      // The outage may have ended while this caller waited here.
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
    // The mirror stands for the shared lock, however long that is renewed.
    const { maxHoldMs, termMs } = wanted.options
    const options = { ...wanted.options, termMs: maxHoldMs + termMs, replicas: undefined }
    const { target } = await this.#ask(fallback, { ...wanted, options })
    return {
      prolong: (ms) => this.#inBackground(fallback.renew(target, ms, ms, false)),
      end: () => this.#inBackground(fallback.release(target)),
    }
  }

  #ask(store: LockStore, wanted: Wanted): Promise<Grant> {
    const { clock, wakeUps } = this.#parts
    const inBackground = (task: Promise<unknown>): void => this.#inBackground(task)
    return askForLock({ ...wanted, store, clock, wakeUps, inBackground })
  }

  async #askInTurn(wanted: Wanted): Promise<Grant> {
    const { store, clock, wakeUps } = this.#parts
    const { name, options } = wanted
    // A single try needs no turn, and callers that share need not wait for each other.
    const takesTurns = !options.isGlobal && options.waitMs > 0 && options.mode === 'write'
    if (!takesTurns) return this.#ask(store, wanted)
    // A caller that wants replicas may fail where others succeed.
    const turn = options.replicas === undefined ? name : `${name}\n${options.replicas.min}`
    const turns = this.#turns
    // Taken at once where it is free: the first caller must ask first, also before callers that take no turns.
    if (!turns.takeIfFree(turn)) await this.#awaitTurn(turn, wanted)
    let grant: Grant
    try {
      grant = await askForLock({
        ...wanted,
        store,
        clock,
        wakeUps,
        inBackground: (task) => this.#inBackground(task),
        onLearnt: (learnt) => turns.learn(turn, learnt),
      })
    } catch (error) {
      if (!(error instanceof LockUnavailableError)) turns.pass(turn)
      // After this caller has gone on: a caller that falls back comes before those that waited behind it.
      else process.nextTick(() => turns.fail(turn, error.cause))
      throw error
    }
    turns.learn(turn, 'held')
    turns.pass(turn)
    return grant
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
    // The caller that asks for all has no answer yet, or a failure: it is unknown whether the lock is held.
    const cause =
      learnt === 'nothing' ? new StoreTimeoutError('locks.acquire', options.waitMs) : learnt.cause
    throw new LockUnavailableError(name, cause)
  }

  #hold(store: LockStore, { options }: Wanted, grant: Grant): Hold {
    const { termMs, maxHoldMs } = options
    const { clock } = this.#parts
    const replicas = options.replicas?.min ?? 0
    return new Hold({ store, clock, termMs, maxHoldMs, replicas, ...grant })
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

/** True when a store that could not answer does so again. An error about one key was an answer all along. */
function isWellAgain(store: LockStore, error: LockUnavailableError): boolean {
  return store.failingSince === undefined && !isStoreKeyError(error.cause)
}
