/** Limits how many lines of a kind are written in a period, and tells at its end how many more there were. */

import type { CancelTimer, Clock } from '@larder/core/store'

interface Period {
  readonly endsAt: number
  let: number
  heldBack: number
  /** Writes one more line for those that were held back. */
  tell: (heldBack: number) => void
  cancel: CancelTimer | undefined
}

/** How many kinds are told apart; further kinds share one. */
const MOST_KINDS = 1_000
const OTHERS = ''

export class Pace {
  readonly #clock: Clock
  readonly #periodMs: number
  readonly #most: number
  readonly #periods = new Map<string, Period>()

  constructor(
    clock: Clock,
    { periodMs, most }: { readonly periodMs: number; readonly most: number },
  ) {
    this.#clock = clock
    this.#periodMs = periodMs
    this.#most = most
  }

  /** Calls `write` now, or once at the end of the period with how many were held back. */
  line(kind: string, write: (heldBack: number) => void): void {
    const period = this.#periodOf(kind)
    if (period.let < this.#most) {
      period.let += 1
      write(0)
      return
    }
    period.heldBack += 1
    period.tell = write
    if (period.cancel !== undefined) return
    const leftMs = Math.max(0, period.endsAt - this.#clock.now())
    period.cancel = this.#clock.schedule(leftMs, () => this.#end(kind), 'background')
  }

  /** Writes the lines about what was held back until now. */
  stop(): void {
    for (const kind of [...this.#periods.keys()]) this.#end(kind)
  }

  #periodOf(kind: string): Period {
    const now = this.#clock.now()
    const known = this.#periods.get(kind)
    if (known !== undefined && now < known.endsAt) return known
    if (known !== undefined) this.#end(kind)
    if (this.#periods.size >= MOST_KINDS && kind !== OTHERS) {
      this.#forgetEnded(now)
      if (this.#periods.size >= MOST_KINDS) return this.#periodOf(OTHERS)
    }
    const period: Period = {
      endsAt: now + this.#periodMs,
      let: 0,
      heldBack: 0,
      tell: () => undefined,
      cancel: undefined,
    }
    this.#periods.set(kind, period)
    return period
  }

  #end(kind: string): void {
    const period = this.#periods.get(kind)
    if (period === undefined) return
    this.#periods.delete(kind)
    period.cancel?.()
    if (period.heldBack > 0) period.tell(period.heldBack)
  }

  #forgetEnded(now: number): void {
    for (const [kind, { endsAt }] of this.#periods) if (now >= endsAt) this.#end(kind)
  }
}
