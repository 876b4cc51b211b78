/**
 * One partition of a projection.
 *
 * It takes the turn, which the store gives to one process at a time, for a while. Within the turn it handles events in their order, and
 * saves how far it has come. A save says whose turn it was and is refused when it is another one's by now; so a process that was
 * paused never moves what its successor saved, and what was saved never goes back. Events that were handled and not saved are
 * handled again: at least once.
 *
 * The store may lose events (a failover, a backup), with their positions. So a position goes with the mark of its event: a page that does
 * not continue what was handled, and a save that does not fit the log, end the turn, and the next one begins where the log has what was
 * saved. What was saved fits the log on every server, because both are written in one step.
 */

import type { EventPlace, LoggedEvent, LogPosition, ProjectionTurn } from '@larder/core/store'
import { HeldTurn, RENEWALS_PER_LEASE, TurnLost } from './held-turn.ts'
import type { EventHandler, ProjectionParts } from './projection-parts.ts'

export type LaneState = 'waiting' | 'running' | 'failing' | 'closed'

export interface LaneParts<Output> extends Omit<ProjectionParts<Output>, 'onEnd'> {
  readonly handler: EventHandler<Output>
  readonly partition: number
  readonly owner: string
}

const PAGE_BYTES = 1_024 * 1_024
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000

const NOTHING: LogPosition = { position: 0, mark: '' }

export class ProjectionLane<Output> {
  readonly partition: number
  readonly #made: LaneParts<Output>
  readonly #place: EventPlace
  readonly #closing = new AbortController()
  #state: LaneState = 'waiting'
  #position = 0
  #failures = 0
  /** What was handled last here, in whatever turn. */
  #seen: LogPosition = NOTHING
  #wasWoken = false
  #wake: () => void = () => undefined

  constructor(made: LaneParts<Output>) {
    this.#made = made
    this.partition = made.partition
    this.#place = { store: made.store.name, partition: made.partition }
  }

  get state(): LaneState {
    return this.#state
  }

  get position(): number {
    return this.#position
  }

  wake(): void {
    this.#wasWoken = true
    this.#wake()
  }

  /** Ends what runs, as soon as it can. */
  close(): void {
    this.#closing.abort()
    this.#wake()
  }

  /** Runs until it is closed. Never rejects. */
  async run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#made.declare()
        await this.#takeTurn()
      } catch (error) {
        await this.#failed(error)
      }
    }
    this.#state = 'closed'
  }

  async #takeTurn(): Promise<void> {
    const { options, parts } = this.#made
    const closing = this.#closing.signal
    const askedAt = parts.clock.now()
    const turn = await this.#take()
    if (turn.kind === 'held') {
      this.#state = 'waiting'
      this.#failures = 0
      await this.#pause(Math.max(1, Math.min(turn.leftMs, options.leaseMs / RENEWALS_PER_LEASE)))
      return
    }
    const { fence, position, mark } = turn
    const held = new HeldTurn(this.#made, this.#place, { fence, position, mark, askedAt })
    this.#position = position
    if (turn.isRewound || (await this.#hasLostSince(turn))) this.#end('rewound')
    this.#report('taken', undefined)
    const stopRenewing = held.renewWhileHeld()
    const lose = (): void => held.end()
    closing.addEventListener('abort', lose, { once: true })
    try {
      await this.#handleAll(held)
    } catch (error) {
      await held.saveAfter(error)
      if (!(error instanceof TurnLost)) throw error
      this.#state = 'waiting'
      this.#end(error.why)
    } finally {
      stopRenewing()
      closing.removeEventListener('abort', lose)
      held.end()
    }
  }

  /** Until it is closed. @throws TurnLost; what the store fails with */
  async #handleAll(held: HeldTurn): Promise<void> {
    const { options } = this.#made
    const closing = this.#closing.signal
    while (!closing.aborted) {
      this.#wasWoken = false
      const page = await this.#page(held.handled, options.saveEvery)
      if (!page.isContinued) throw new TurnLost('rewound')
      this.#failures = 0
      this.#state = 'running'
      for (const event of page.events) {
        await this.#handle(held, event)
        if (closing.aborted) break
        if (held.unsaved >= options.saveEvery) await held.save(false)
      }
      if (closing.aborted) break
      // Events that somebody removed are not among them.
      const { until: position, mark } = page
      if (position > held.handled.position) this.#advance(held, { position, mark })
      if (page.events.length > 0) continue
      if (held.unsaved > 0) await held.save(false)
      held.assertHeld(closing.aborted)
      await this.#pause(options.pollEveryMs)
    }
    await held.save(true)
  }

  /** Until the handler has succeeded, or the lane is closed. @throws TurnLost */
  async #handle(held: HeldTurn, event: LoggedEvent): Promise<void> {
    const { open, handler } = this.#made
    const closing = this.#closing.signal
    while (!closing.aborted) {
      held.assertHeld(closing.aborted)
      try {
        const opened = await open(event, this.partition)
        held.assertHeld(closing.aborted)
        await handler(opened, { fence: held.fence, signal: held.signal })
        this.#failures = 0
        this.#state = 'running'
        this.#advance(held, { position: event.position, mark: event.mark })
        return
      } catch (error) {
        if (error instanceof TurnLost) throw error
        // What came before must not be handled again because this one fails for long.
        if (held.unsaved > 0) await held.save(false)
        await this.#failed(error)
      }
    }
  }

  #advance(held: HeldTurn, to: LogPosition): void {
    held.advance(to)
    this.#position = to.position
    this.#seen = to
  }

  #take(): Promise<ProjectionTurn> {
    const { options, parts, name: projection, owner, store } = this.#made
    const claim = { projection, owner, leaseMs: options.leaseMs }
    return parts.store.ask('take', store.timeoutMs, (provider) => provider.take(this.#place, claim))
  }

  /** Whether the store has lost what was handled here and is not saved: the turn may have ended before that could show. */
  async #hasLostSince(turn: LogPosition): Promise<boolean> {
    if (turn.position >= this.#seen.position) return false
    const { isContinued } = await this.#page(this.#seen, 1)
    return !isContinued
  }

  #page({ position: after, mark }: LogPosition, count: number) {
    const { parts, store } = this.#made
    const range = { after, mark, count, bytes: PAGE_BYTES }
    return parts.store.ask('readLog', store.timeoutMs, (provider) =>
      provider.readLog(this.#place, range),
    )
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#state = 'failing'
    this.#failures += 1
    this.#report('failed', error)
    const pauseMs = Math.min(
      LONGEST_PAUSE_MS,
      FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10),
    )
    await this.#pause(pauseMs * (0.5 + Math.random() / 2), true)
  }

  /** `isDeaf`: only closing ends it early. */
  async #pause(ms: number, isDeaf = false): Promise<void> {
    const { parts } = this.#made
    const closing = this.#closing.signal
    if (closing.aborted || (this.#wasWoken && !isDeaf)) return
    await new Promise<void>((resolve) => {
      const cancel = parts.clock.schedule(ms, resolve, 'background')
      this.#wake = () => {
        if (isDeaf && !closing.aborted) return
        cancel()
        resolve()
      }
    })
    this.#wake = () => undefined
  }

  #end(why: 'lost' | 'rewound'): void {
    if (why === 'rewound') this.#seen = NOTHING
    this.#report(why, undefined)
  }

  #report(state: 'taken' | 'lost' | 'rewound' | 'failed', error: unknown): void {
    const { parts, store, name: projection, partition } = this.#made
    parts.events.emit('projection', { store: store.name, projection, partition, state, error })
  }
}
