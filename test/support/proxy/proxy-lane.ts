import type { Socket } from 'node:net'

/** What happens to everything that flows in one direction, over all connections. */
export interface LaneFaults {
  isFrozen: boolean
  isHole: boolean
  /** Milliseconds that every byte takes longer. */
  delayMs: number
}

/** One direction of one connection: delivers in order, as late as its faults say, or not at all. */
export class Lane {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #faults: LaneFaults
  readonly #waiting: { readonly parcel: Parcel; readonly dueAt: number }[] = []
  #timer: NodeJS.Timeout | undefined
  #isSilent = false
  #hasLost = false

  constructor(source: Socket, sink: Socket, faults: LaneFaults) {
    this.#source = source
    this.#sink = sink
    this.#faults = faults
  }

  /** True once bytes were swallowed: the stream behind them makes no sense any more. */
  get hasLost(): boolean {
    return this.#hasLost
  }

  send(parcel: Parcel): void {
    if (this.#faults.isHole || this.#isSilent) {
      this.#hasLost = true
      return
    }
    this.#waiting.push({ parcel, dueAt: performance.now() + this.#faults.delayMs })
    this.flush()
  }

  /** From now on nothing comes through, for good. */
  silence(): void {
    this.#isSilent = true
  }

  /** Delivers what is due; to be called when the faults have changed. */
  flush(): void {
    if (this.#timer !== undefined) return
    while (!this.#faults.isFrozen) {
      const next = this.#waiting[0]
      if (next === undefined) return
      const waitMs = next.dueAt - performance.now()
      if (waitMs > 0) {
        this.#flushIn(waitMs)
        return
      }
      this.#waiting.shift()
      this.#deliver(next.parcel)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  #flushIn(waitMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, waitMs).unref()
  }

  #deliver(parcel: Parcel): void {
    if (this.#sink.destroyed) return
    if (parcel === 'end') {
      this.#sink.end()
      return
    }
    const hasRoom = this.#sink.write(parcel)
    if (hasRoom || this.#source.isPaused()) return
    // A proxy without back pressure would turn a slow reader into a fast one, and into our memory.
    this.#source.pause()
    this.#sink.once('drain', () => this.#source.resume())
  }
}

/** Bytes, or the end of the stream. */
export type Parcel = Buffer | 'end'
