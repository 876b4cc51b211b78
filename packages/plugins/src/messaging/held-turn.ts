/**
 * The turn of a projection at one partition, as a process holds it.
 *
 * A timer renews it, also while a handler runs for long. By the clock of this process it ends early rather than late: it is counted from
 * before it was asked for.
 */

import type { CancelTimer, EventPlace, LogPosition } from '@larder/core/store'
import type { ProjectionParts } from './projection-parts.ts'

/** Whose turn it is. */
export interface TurnOwner
  extends Pick<ProjectionParts<never>, 'name' | 'options' | 'store' | 'parts'> {
  readonly owner: string
}

/** How often a turn is renewed while it lasts. */
export const RENEWALS_PER_LEASE = 3

/** The turn is another one's, or the store has lost events that were handled in it. */
export class TurnLost extends Error {
  readonly why: 'lost' | 'rewound'

  constructor(why: 'lost' | 'rewound') {
    super(`The turn is over: ${why}`)
    this.why = why
  }
}

export class HeldTurn {
  readonly fence: number
  readonly #made: TurnOwner
  readonly #place: EventPlace
  readonly #lost = new AbortController()
  #why: 'lost' | 'rewound' = 'lost'
  #validUntil: number
  #handled: LogPosition
  #saved: number

  constructor(
    made: TurnOwner,
    place: EventPlace,
    turn: LogPosition & { readonly fence: number; readonly askedAt: number },
  ) {
    this.#made = made
    this.#place = place
    this.fence = turn.fence
    this.#validUntil = turn.askedAt + made.options.leaseMs
    this.#handled = { position: turn.position, mark: turn.mark }
    this.#saved = turn.position
  }

  /** Aborted when the turn is over. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** What was handled last. */
  get handled(): LogPosition {
    return this.#handled
  }

  /** How many positions were handled and are not saved. */
  get unsaved(): number {
    return this.#handled.position - this.#saved
  }

  advance(to: LogPosition): void {
    this.#handled = to
  }

  end(): void {
    this.#lost.abort()
  }

  /** `isClosing`: the signal was aborted because of that. @throws TurnLost */
  assertHeld(isClosing: boolean): void {
    const isOver = this.#made.parts.clock.now() >= this.#validUntil
    if (!isOver && (isClosing || !this.#lost.signal.aborted)) return
    this.#lost.abort()
    throw new TurnLost(this.#why)
  }

  /** Returns what ends it. */
  renewWhileHeld(): () => void {
    const { options, parts } = this.#made
    const everyMs = options.leaseMs / RENEWALS_PER_LEASE
    let cancel: CancelTimer = () => undefined
    let isOver = false
    const next = (): void => {
      if (isOver) return
      const leftMs = this.#validUntil - parts.clock.now()
      if (leftMs <= 0) this.#lost.abort()
      else cancel = parts.clock.schedule(Math.min(everyMs, leftMs), renew, 'background')
    }
    // Lost, or the store is away: then the turn ends by the clock.
    const renew = (): void => void this.save(false).then(next, next)
    next()
    return () => {
      isOver = true
      cancel()
    }
  }

  /** Saves what was handled, and renews the turn. `isLast`: ends it. @throws TurnLost; EventStoreUnavailableError */
  async save(isLast: boolean): Promise<void> {
    const { options, parts, name: projection, owner, store } = this.#made
    const { leaseMs } = options
    const { position, mark } = this.#handled
    const askedAt = parts.clock.now()
    const save = { projection, owner, leaseMs, fence: this.fence, position, mark, isLast }
    const saved = await parts.store.ask('save', store.timeoutMs, (provider) =>
      provider.save(this.#place, save),
    )
    if (saved !== 'saved') {
      this.#why = saved
      this.#lost.abort()
      throw new TurnLost(saved)
    }
    this.#saved = Math.max(this.#saved, position)
    this.#validUntil = Math.max(this.#validUntil, askedAt + leaseMs)
  }

  /**
   * What was handled need not be handled again because something else failed. Also when the turn is over by the clock of this process: a
   * handler that holds up the process for longer than the lease would otherwise never get further. The store refuses it when the turn
   * is another one's. Never rejects.
   */
  async saveAfter(error: unknown): Promise<void> {
    const isRefused = error instanceof TurnLost && error.why === 'rewound'
    if (!isRefused && this.unsaved > 0) await this.save(false).catch(() => undefined)
  }
}
