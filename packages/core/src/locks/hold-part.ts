/**
 * A part in a hold: of the one who took it, or of a share, which is a nested call that locks the same key.
 *
 * A share is granted without asking anybody, because the lock is held already; so it has to be a reason for the lock to stay
 * held. The hold goes back to the store when its last part has ended. Whoever took it for a run also waits for the runs that
 * share in it: when such a call comes back, nothing of what ran under its lock goes on.
 */

import type { Hold } from './hold.ts'

/** What the parts of one hold share. */
interface Ownership {
  parts: number
  /** Of them, those in which work runs, or will. */
  runs: number
  /** Whoever waits for those to end. */
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

  /** The first part, of the one who took the hold. `runs`: for work that ends by itself. */
  static first(hold: Hold, runs: boolean): HoldPart {
    return new HoldPart(hold, { parts: 0, runs: 0, onQuiet: undefined }, false, runs)
  }

  share(runs: boolean): HoldPart {
    return new HoldPart(this.hold, this.#ownership, true, runs)
  }

  /** The work of this part has ended. Resolves when that of all shares has, or the lock is lost, for whoever took it. */
  async endRun(): Promise<void> {
    this.#stopRunning()
    const ownership = this.#ownership
    if (this.isShare || ownership.runs === 0 || !this.hold.isHeld) return
    await new Promise<void>((resolve) => {
      ownership.onQuiet = resolve
      this.hold.onLost = [...this.hold.onLost, resolve]
    })
  }

  /** Gives this part up. With the last one, resolves with whether the store still knew the lease; else nothing is known. */
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
