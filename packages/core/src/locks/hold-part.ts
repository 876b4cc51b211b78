/**
 * A part in a hold: that of the caller that took it, or a share of it, which is a nested call that locks the same key.
 *
 * A share is granted without asking the store, because the lock is held already; so a share is a reason to keep holding the
 * lock. The hold goes back to the store when its last part has ended. A caller that took it for a run also waits for the runs
 * that share in it, so that nothing continues under its lock after its call has returned.
 */

import type { Hold } from './hold.ts'

/** What the parts of one hold share. */
interface Ownership {
  parts: number
  /** The number of those parts in which work runs, or will run. */
  runs: number
  /** Called when those have ended. */
  onQuiet: (() => void) | undefined
}

export class HoldPart {
  readonly hold: Hold
  readonly isShare: boolean
  readonly #ownership: Ownership
  #runs: boolean
  #isOver = false

  private constructor(hold: Hold, ownership: Ownership, isShare: boolean, runs: boolean) {
    this.hold = hold
    this.isShare = isShare
    this.#ownership = ownership
    this.#runs = runs
    ownership.parts += 1
    if (runs) ownership.runs += 1
  }

  /** The first part, that of the caller that took the hold. `runs`: for work that ends by itself. */
  static first(hold: Hold, runs: boolean): HoldPart {
    return new HoldPart(hold, { parts: 0, runs: 0, onQuiet: undefined }, false, runs)
  }

  share(runs: boolean): HoldPart {
    return new HoldPart(this.hold, this.#ownership, true, runs)
  }

  /** Says that the work of this part has ended. For the first part, resolves when all shares have ended or the lock is lost. */
  async endRun(): Promise<void> {
    this.#stopRunning()
    const ownership = this.#ownership
    if (this.isShare || ownership.runs === 0 || !this.hold.isHeld) return
    await new Promise<void>((resolve) => {
      ownership.onQuiet = resolve
      this.hold.onLost(resolve)
    })
  }

  /** Gives this part up. The last part resolves with whether the store still knew the hold; others know nothing of that. */
  end(): Promise<boolean> | undefined {
    if (this.#isOver) return undefined
    this.#isOver = true
    this.#stopRunning()
    this.#ownership.parts -= 1
    return this.#ownership.parts === 0 ? this.hold.release() : undefined
  }

  #stopRunning(): void {
    if (!this.#runs) return
    this.#runs = false
    this.#ownership.runs -= 1
    if (this.#ownership.runs === 0) this.#ownership.onQuiet?.()
  }
}
