/**
 * One partition of a projection.
 *
 * It takes the turn, which the store gives to one process at a time, for a while. Within the turn it handles events in their order, and
 * saves how far it has come. A save says whose turn it was and is refused when it is another one's by now; so a process that was
 * paused never moves what its successor saved, and what was saved never goes back. Events that were handled and not saved are
 * handled again: at least once.
 *
 * While a handler runs, a timer renews the turn. By the clock of this process the turn ends early rather than late: it is counted from
 * before it was asked for.
 */

import type { CancelTimer, EventPlace, ProjectionTurn } from '@larder/core/store'
import type { EventHandler, ProjectionParts } from './projection-parts.ts'

export type LaneState = 'waiting' | 'running' | 'failing' | 'closed'

export interface LaneParts<Output> extends Omit<ProjectionParts<Output>, 'onEnd'> {
  readonly handler: EventHandler<Output>
  readonly partition: number
  readonly owner: string
}

/** The turn as it is held. */
interface HeldTurn {
  readonly fence: number
  readonly lost: AbortController
  /** By the clock of this process. */
  validUntil: number
  /** What was handled last. */
  position: number
  saved: number
}

const PAGE_BYTES = 1_024 * 1_024
const RENEWALS_PER_LEASE = 3
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000

/** The turn is another one's. */
class TurnLost extends Error {}

export class ProjectionLane<Output> {
  readonly partition: number
  readonly #made: LaneParts<Output>
  readonly #place: EventPlace
  readonly #closing = new AbortController()
  #state: LaneState = 'waiting'
  #position = 0
  #failures = 0
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
    this.#failures = 0
    const { fence, position } = turn
    const validUntil = askedAt + options.leaseMs
    const held = { fence, lost: new AbortController(), validUntil, position, saved: position }
    this.#position = position
    this.#report('taken', undefined)
    const stopRenewing = this.#renewWhileHeld(held)
    const lose = (): void => held.lost.abort()
    closing.addEventListener('abort', lose, { once: true })
    try {
      await this.#handleAll(held)
    } catch (error) {
      if (!(error instanceof TurnLost)) throw error
      this.#state = 'waiting'
      this.#report('lost', undefined)
    } finally {
      stopRenewing()
      closing.removeEventListener('abort', lose)
      held.lost.abort()
    }
  }

  /** Until it is closed. @throws TurnLost; what the store fails with */
  async #handleAll(held: HeldTurn): Promise<void> {
    const { options } = this.#made
    const closing = this.#closing.signal
    while (!closing.aborted) {
      this.#wasWoken = false
      const page = await this.#page(held.position)
      if (this.#failures === 0) this.#state = 'running'
      for (const event of page.events) {
        await this.#handle(held, event)
        if (closing.aborted) break
        if (held.position - held.saved >= options.saveEvery) await this.#save(held, false)
      }
      if (closing.aborted) break
      // Events that somebody removed are not among them.
      held.position = Math.max(held.position, page.until)
      this.#position = held.position
      if (page.events.length > 0) continue
      if (held.position > held.saved) await this.#save(held, false)
      this.#assertHeld(held)
      await this.#pause(options.pollEveryMs)
    }
    await this.#save(held, true)
  }

  /** Until the handler has succeeded, or the lane is closed. @throws TurnLost */
  async #handle(held: HeldTurn, event: Parameters<LaneParts<Output>['open']>[0]): Promise<void> {
    const { open, handler } = this.#made
    const closing = this.#closing.signal
    while (!closing.aborted) {
      this.#assertHeld(held)
      try {
        const opened = await open(event, this.partition)
        this.#assertHeld(held)
        await handler(opened, { fence: held.fence, signal: held.lost.signal })
        this.#failures = 0
        this.#state = 'running'
        held.position = event.position
        this.#position = event.position
        return
      } catch (error) {
        if (error instanceof TurnLost) throw error
        // What came before must not be handled again because this one fails for long.
        if (held.position > held.saved) await this.#save(held, false)
        await this.#failed(error)
      }
    }
  }

  #assertHeld(held: HeldTurn): void {
    const { clock } = this.#made.parts
    const isOver = clock.now() >= held.validUntil
    if (!isOver && (!held.lost.signal.aborted || this.#closing.signal.aborted)) return
    held.lost.abort()
    throw new TurnLost()
  }

  /** Renews the turn by a timer, also while a handler runs for long. Returns what ends that. */
  #renewWhileHeld(held: HeldTurn): () => void {
    const { options, parts } = this.#made
    const everyMs = options.leaseMs / RENEWALS_PER_LEASE
    let cancel: CancelTimer = () => undefined
    let isOver = false
    const next = (): void => {
      if (isOver) return
      const leftMs = held.validUntil - parts.clock.now()
      if (leftMs <= 0) held.lost.abort()
      else cancel = parts.clock.schedule(Math.min(everyMs, leftMs), renew, 'background')
    }
    // Lost, or the store is away: then the turn ends by the clock.
    const renew = (): void => void this.#save(held, false).then(next, next)
    next()
    return () => {
      isOver = true
      cancel()
    }
  }

  /** @throws TurnLost */
  async #save(held: HeldTurn, isLast: boolean): Promise<void> {
    const { options, parts, name: projection, owner, store } = this.#made
    const { fence, position } = held
    const { leaseMs } = options
    const askedAt = parts.clock.now()
    const save = { projection, owner, leaseMs, fence, position, isLast }
    const isMine = await parts.store.ask('save', store.timeoutMs, (provider) =>
      provider.save(this.#place, save),
    )
    if (!isMine) {
      held.lost.abort()
      throw new TurnLost()
    }
    held.saved = Math.max(held.saved, position)
    held.validUntil = Math.max(held.validUntil, askedAt + leaseMs)
  }

  #take(): Promise<ProjectionTurn> {
    const { options, parts, name: projection, owner, store } = this.#made
    const claim = { projection, owner, leaseMs: options.leaseMs }
    return parts.store.ask('take', store.timeoutMs, (provider) => provider.take(this.#place, claim))
  }

  #page(after: number) {
    const { options, parts, store } = this.#made
    const range = { after, count: options.saveEvery, bytes: PAGE_BYTES }
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

  #report(state: 'taken' | 'lost' | 'failed', error: unknown): void {
    const { parts, store, name: projection, partition } = this.#made
    parts.events.emit('projection', { store: store.name, projection, partition, state, error })
  }
}
