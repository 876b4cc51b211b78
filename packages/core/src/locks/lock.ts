/** A lock in the hands of its user: one hold, several taken together, or a share in an outer one. */

import { LockLostError, LockUnavailableError } from '../errors/lock-error.ts'
import type { Key } from '../keys/key-text.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/call-context.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import type { Hold } from './hold.ts'
import type { HoldPart } from './hold-part.ts'
import { lockName } from './lock-name.ts'
import { LONGEST_HOLD_MS, LONGEST_TERM_MS, SHORTEST_TERM_MS } from './lock-options.ts'

/** A lock, or several taken together, while held. */
export interface Lock extends AsyncDisposable {
  /** The names, in the order they were taken: sorted. */
  readonly keys: readonly string[]
  /**
   * The fencing token: higher than that of every earlier holder. Pass it to the resource you write to, and let that resource
   * refuse lower ones. With several keys, this is the fence of the first; see `fenceOf`.
   */
  readonly fence: number
  /** Aborts with a `LockLostError` when the lock is lost while held. Listeners run in the async context of the caller that took it. */
  readonly signal: AbortSignal
  /** What granted it: `redis`; `local` when only this process is excluded. */
  readonly source: string
  /** @throws LockLostError when the key is not among those of the lock */
  fenceOf(key: Key): number
  /** How much longer the lock is surely held, ms; 0 once lost or released. Renewal makes this longer again. */
  remainingMs(): number
  /**
   * Checks the clock, so it also notices that this process was held up. Call it before a step that cannot be undone.
   *
   * @throws LockLostError
   */
  assertHeld(): void
  /**
   * Asks the store at once to keep the lock for at least `lease` from now (100 ms to 1 d), also beyond `maxHold`: call it before
   * work that keeps this process from renewing. Resolves with how much longer the lock is surely held, ms. It never makes that
   * time shorter.
   *
   * @throws LockLostError; LockUnavailableError when the store does not answer, and the lock's end is then unchanged
   */
  extend(lease: Duration): Promise<number>
  /**
   * Goes on renewing the lock for so much longer from now (0 to 30 d), whatever `maxHold` said. 0 stops renewing: the lock then
   * ends with its current term, unless it is released or extended before. A share in an outer lock can only make it longer.
   *
   * @throws LockLostError
   */
  renewFor(time: Duration): void
  /** Gives it back; false when it had been lost. Never throws: a lock that cannot be given back ends by itself. */
  release(): Promise<boolean>
  /** Gives it back. @throws LockLostError when it had been lost, unless `onLost` says to ignore that */
  [Symbol.asyncDispose](): Promise<void>
}

export interface LockParts {
  readonly parts: readonly HoldPart[]
  readonly ignoresLoss: boolean
  /** Ends the parts. Resolves with whether the store still knew every hold that went back. */
  giveBack(): Promise<boolean>
}

export class HeldLock implements Lock {
  readonly keys: readonly string[]
  readonly #lock: LockParts
  readonly #holds: readonly Hold[]
  /** That of the caller that took it. A timer ends the hold, and its listeners need that context. */
  readonly #context: KeptContext = keepContext()
  /** For each hold, the function that ends listening to its loss. */
  readonly #stopsListening: readonly (() => void)[]
  #abort: AbortController | undefined
  #isReleased = false
  #isLeft = false
  #wasLost = false

  constructor(lock: LockParts) {
    this.#lock = lock
    this.#holds = lock.parts.map(({ hold }) => hold)
    this.keys = this.#holds.map(({ target }) => target.name)
    this.#stopsListening = this.#holds.map((hold) =>
      hold.onLost(() => this.lose(this.#lostError())),
    )
  }

  /** True until released or lost. */
  get isLive(): boolean {
    return !this.#isReleased && this.#holds.every((hold) => hold.isHeld)
  }

  /**
   * True once the work under it has ended or has released it, so that no code is inside it. Where the lock was lost, the work is
   * still inside, and its signal says so.
   */
  get isLeft(): boolean {
    return this.#isLeft || (this.#isReleased && !this.#wasLost)
  }

  get wasLost(): boolean {
    return this.#wasLost || (!this.#isReleased && this.#holds.some((hold) => hold.isLost))
  }

  get fence(): number {
    return this.#holds[0]?.fence ?? 0
  }

  get source(): string {
    return this.#holds[0]?.store.provider.name ?? 'local'
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.wasLost) this.#abort.abort(this.#lostError())
    }
    return this.#abort.signal
  }

  partOf(name: string): HoldPart | undefined {
    return this.#lock.parts.find(({ hold }) => hold.target.name === name)
  }

  fenceOf(key: Key): number {
    const name = lockName(key, 'lock.fenceOf.key')
    const part = this.partOf(name)
    if (part === undefined) throw new LockLostError(name)
    return part.hold.fence
  }

  remainingMs(): number {
    return this.#isReleased ? 0 : Math.min(...this.#holds.map((hold) => hold.remainingMs))
  }

  assertHeld(): void {
    if (!this.isLive) throw this.#lostError()
  }

  async extend(lease: Duration): Promise<number> {
    const bounds = { min: SHORTEST_TERM_MS, max: LONGEST_TERM_MS }
    const ms = parseDuration(lease, 'lock.extend.lease', bounds)
    this.assertHeld()
    try {
      await Promise.all(this.#holds.map((hold) => hold.extend(ms)))
    } catch (cause) {
      this.assertHeld()
      throw new LockUnavailableError(this.keys.join(', '), cause)
    }
    this.assertHeld()
    return this.remainingMs()
  }

  renewFor(time: Duration): void {
    const ms = parseDuration(time, 'lock.renewFor.time', { max: LONGEST_HOLD_MS })
    this.assertHeld()
    for (const { hold, isShare } of this.#lock.parts) hold.renewFor(ms, isShare)
  }

  /** Considers the lock lost; also for a manager that closes. */
  lose(reason: unknown): void {
    if (this.#isReleased) return
    this.#wasLost = true
    if (this.#abort !== undefined) runIn(this.#context, () => this.#abort?.abort(reason))
  }

  /** The work under it has ended. */
  markLeft(): void {
    this.#isLeft = true
  }

  /** Resolves when the work of all shares has ended too. */
  async untilAlone(): Promise<void> {
    await Promise.all(this.#lock.parts.map((part) => part.endRun()))
  }

  async release(): Promise<boolean> {
    if (this.#isReleased) return false
    // Read and remembered before it is given back: afterwards it cannot be found out.
    this.#wasLost = this.wasLost
    this.#isReleased = true
    for (const stopListening of this.#stopsListening) stopListening()
    const wereKnown = await this.#lock.giveBack()
    // The store forgot the lock (it was flushed, or stopped for longer than the term): another holder may have had it.
    if (!wereKnown) this.#wasLost = true
    return !this.#wasLost
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isSecondTime = this.#isReleased
    await this.release()
    if (!isSecondTime && this.#wasLost && !this.#lock.ignoresLoss) throw this.#lostError()
  }

  #lostError(): LockLostError {
    const lost = this.#holds.find((hold) => !hold.isHeld) ?? this.#holds[0]
    return new LockLostError(lost?.target.name ?? '')
  }
}
