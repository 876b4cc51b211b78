/** A lock in the hands of its user: one hold, several taken together, or a share in an outer one. */

import { LockLostError } from '../errors/lock-error.ts'
import type { Hold } from './hold.ts'

/** A lock, or several taken together, while held. */
export interface Lock extends AsyncDisposable {
  /** The names, in the order they were taken: sorted. */
  readonly keys: readonly string[]
  /**
   * The fencing token: higher than that of every earlier holder. Give it to what you write to, and let that refuse lower
   * ones. With several keys, that of the first; see `fenceOf`.
   */
  readonly fence: number
  /** Aborts, with a `LockLostError`, when the lock is lost while held. */
  readonly signal: AbortSignal
  /** Who granted: `redis`; `local` when only this process is excluded. */
  readonly source: string
  /** @throws LockLostError when the name is not among the keys */
  fenceOf(key: string): number
  /** How much longer the lock is surely held, ms; 0 once lost or released. Renewal makes it longer again. */
  remainingMs(): number
  /**
   * Checks the clock, so that it also notices that this process was held up. To be called before what cannot be undone.
   *
   * @throws LockLostError
   */
  assertHeld(): void
  /** Gives it back; false when it had been lost. Never throws: a lease that cannot be given back ends by itself. */
  release(): Promise<boolean>
  /** Gives it back. @throws LockLostError when it had been lost, unless `onLost` says to ignore that */
  [Symbol.asyncDispose](): Promise<void>
}

export interface LockParts {
  readonly holds: readonly Hold[]
  readonly ignoresLoss: boolean
  /** Gives the holds back; does nothing for a share in an outer lock. Resolves with whether all were still known. */
  giveBack(): Promise<boolean>
}

export class HeldLock implements Lock {
  readonly keys: readonly string[]
  readonly #parts: LockParts
  #abort: AbortController | undefined
  #isReleased = false
  #wasLost = false

  constructor(parts: LockParts) {
    this.#parts = parts
    this.keys = parts.holds.map(({ target }) => target.name)
    for (const hold of parts.holds) hold.onLost = [...hold.onLost, this.#onLost]
  }

  get holds(): readonly Hold[] {
    return this.#parts.holds
  }

  /** True until released or lost. */
  get isLive(): boolean {
    return !this.#isReleased && this.holds.every((hold) => hold.isHeld)
  }

  get wasLost(): boolean {
    return this.#wasLost || (!this.#isReleased && this.holds.some((hold) => hold.isLost))
  }

  get fence(): number {
    return this.holds[0]?.fence ?? 0
  }

  get source(): string {
    return this.holds[0]?.store.provider.name ?? 'local'
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.wasLost) this.#abort.abort(this.#lostError())
    }
    return this.#abort.signal
  }

  fenceOf(key: string): number {
    const hold = this.holds.find(({ target }) => target.name === key)
    if (hold === undefined) throw new LockLostError(key)
    return hold.fence
  }

  remainingMs(): number {
    return this.#isReleased ? 0 : Math.min(...this.holds.map((hold) => hold.remainingMs))
  }

  assertHeld(): void {
    if (!this.isLive) throw this.#lostError()
  }

  /** Ends the belief in the lock; also for a manager that closes. */
  lose(reason: unknown): void {
    if (this.#isReleased) return
    this.#wasLost = true
    this.#abort?.abort(reason)
  }

  async release(): Promise<boolean> {
    if (this.#isReleased) return false
    // Looked at before it is given back, and remembered: afterwards nobody can tell.
    this.#wasLost = this.wasLost
    this.#isReleased = true
    for (const hold of this.holds) {
      hold.onLost = hold.onLost.filter((tell) => tell !== this.#onLost)
    }
    const wereKnown = await this.#parts.giveBack()
    // The store forgot the lease (it was flushed, or stopped for longer than that): somebody else may have held it.
    if (!wereKnown) this.#wasLost = true
    return !this.#wasLost
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isSecondTime = this.#isReleased
    await this.release()
    if (!isSecondTime && this.#wasLost && !this.#parts.ignoresLoss) throw this.#lostError()
  }

  readonly #onLost = (): void => this.lose(this.#lostError())

  #lostError(): LockLostError {
    const lost = this.holds.find((hold) => !hold.isHeld) ?? this.holds[0]
    return new LockLostError(lost?.target.name ?? '')
  }
}
