/**
 * Keeps a connection to Redis standing.
 *
 * Every attempt is a new client: it either stands or is dropped with everything pending on it, so nothing
 * sent over an old connection can run later. A connection that stands is pinged: one that died silently (a pulled
 * cable, a forgotten NAT entry) would otherwise count as standing for a quarter of an hour. Attempts go on until `close`, with
 * jitter, so that the nodes of a fleet do not come back in step.
 */

import { StoreSetupError } from '@larder/core'
import { type CancelTimer, startTimer } from '@larder/core/store'
import { Connection } from './connection.ts'
import type { RedisClient } from './redis-client.ts'
import { withoutCommand } from './redis-error.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

export interface LinkParts {
  readonly pingEveryMs: number
  /** Makes a client that has not connected yet. */
  create(): Promise<RedisClient>
  /** A further step that must succeed before the connection counts as standing. */
  prepare?(client: RedisClient): Promise<unknown>
  onUp(): void
  /** The connection is gone, or the first attempt failed; called once until it stands again. */
  onDown(reason: unknown): void
}

export class Link {
  readonly #parts: LinkParts
  #state: 'new' | 'trying' | 'up' | 'down' | 'closed' = 'new'
  #connection: Connection | undefined
  #client: RedisClient | undefined
  #firstAttempt: Promise<void> = Promise.resolve()
  #lastError: unknown
  #failures = 0
  #upAt = 0
  #cancelRetry: CancelTimer | undefined

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  /** The client while its connection stands. */
  get client(): RedisClient | undefined {
    return this.#client
  }

  /** True when no connection stands and the first attempt, which is worth waiting for, has ended. */
  get isDown(): boolean {
    return this.#state === 'down' || this.#state === 'closed'
  }

  /** Why there is no connection. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** Connects in the background, at the first call; resolves when the first attempt has ended, well or badly. */
  open(): Promise<void> {
    if (this.#state === 'new') {
      this.#state = 'trying'
      this.#firstAttempt = this.#attempt()
    }
    return this.#firstAttempt
  }

  /** Gives up the standing connection for a new one. */
  renew(reason: unknown): void {
    if (this.#state === 'up') this.#connection?.end(reason)
  }

  /** Closes for good; resolves when the sockets are closed. */
  async close(): Promise<void> {
    this.#state = 'closed'
    this.#client = undefined
    this.#cancelRetry?.()
    this.#connection?.end(new Error('The store was closed'))
    await this.#connection?.closed
  }

  async #attempt(): Promise<void> {
    try {
      const client = await this.#parts.create()
      // Closed meanwhile: the client has not connected, so there is nothing to close.
      if (this.#state === 'closed') return
      const connection = new Connection(client)
      this.#connection = connection
      await connection.establish(async () => this.#parts.prepare?.(client))
      if (!connection.isOver) this.#stand(connection)
      else this.#fall(await connection.ended)
    } catch (error) {
      this.#fall(error)
    }
  }

  #stand(connection: Connection): void {
    this.#client = connection.client
    this.#state = 'up'
    this.#upAt = performance.now()
    void connection.ended.then((reason) => this.#fall(reason))
    connection.watch(this.#parts.pingEveryMs)
    this.#parts.onUp()
  }

  #fall(reason: unknown): void {
    if (this.#state === 'closed') return
    // A connection that ends at once counts as a failed attempt, or this would be a busy loop.
    const hasStood = this.#client !== undefined && performance.now() - this.#upAt > LONGEST_PAUSE_MS
    this.#failures = hasStood ? 0 : this.#failures + 1
    this.#client = undefined
    this.#lastError = withoutCommand(reason)
    const isNews = this.#state !== 'down'
    this.#state = 'down'
    // A missing package will not appear within a second.
    const isFinal = reason instanceof StoreSetupError
    const retry = (): void => void this.#attempt()
    if (!isFinal) this.#cancelRetry = startTimer(pauseAfter(this.#failures), retry, 'background')
    if (isNews) this.#parts.onDown(this.#lastError)
  }
}

function pauseAfter(failures: number): number {
  const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
  return ms * (0.5 + Math.random() / 2)
}
