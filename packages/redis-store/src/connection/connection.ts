/** The life of one client: it connects once, is pinged while nothing else is heard, and ends once. */

import { type CancelTimer, startTimer } from '@larder/core/store'
import { isCluster, type RedisClient } from './redis-client.ts'
import { withoutCommand } from './redis-error.ts'
import { within } from './within.ts'

/** For everything from the address to the subscription: a server may accept and then say nothing. */
const ATTEMPT_TIMEOUT_MS = 4_000
const LONGEST_PING_MS = 2_000
const SHORTEST_PING_MS = 500
const LOOKS = 2
/** Longer than ioredis waits before it destroys a socket. */
const CLOSE_TIMEOUT_MS = 400

export class Connection {
  readonly client: RedisClient
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<unknown>
  /** Resolves when its sockets are closed. */
  readonly closed: Promise<void>
  #tellEnd: (reason: unknown) => void = () => undefined
  #tellClosed: () => void = () => undefined
  #lastError: unknown
  #cancelPing: CancelTimer | undefined
  #isOver = false
  /** How much had been read of each server at the last look. */
  readonly #read = new WeakMap<RedisClient, number>()

  constructor(client: RedisClient) {
    this.client = client
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve
    })
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve
    })
    // Without a listener ioredis prints errors.
    client.on('error', this.#onError)
    client.on('end', this.#onEnd)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Connects and prepares; the connection is over when that fails.
   *
   * @throws the connection's last error, which says more than the rejection
   */
  async establish(prepare: (client: RedisClient) => Promise<unknown>): Promise<void> {
    const stands = async (): Promise<void> => {
      await this.client.connect()
      await prepare(this.client)
    }
    const over = this.ended.then((reason) => {
      throw reason
    })
    try {
      await within(ATTEMPT_TIMEOUT_MS, Promise.race([stands(), over]))
    } catch (error) {
      this.end(error)
      throw withoutCommand(this.#lastError ?? error)
    }
  }

  /**
   * Pings from now on a server of which nothing was heard; silence ends the connection, or in a Cluster the silent node's.
   *
   * It looks twice in that time: who was heard of in the first half is asked after the second one at the latest.
   */
  watch(pingEveryMs: number, silenceMs = silenceFor(pingEveryMs)): void {
    const next = (): void => {
      const ping = (): void => void this.#ping(silenceMs).then(next)
      this.#cancelPing = startTimer(pingEveryMs / LOOKS, ping, 'background')
      if (this.#isOver) this.#cancelPing()
    }
    next()
  }

  /** Ends the connection; pending commands fail. */
  end(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelPing?.()
    if (this.client.status !== 'end') this.client.disconnect()
    this.#tellEnd(reason)
    within(CLOSE_TIMEOUT_MS, this.closed).catch(() => this.#tellClosed())
  }

  async #ping(silenceMs: number): Promise<void> {
    const { client } = this
    const targets = isCluster(client) ? client.nodes('all').filter(isReady) : [client]
    await Promise.all(
      targets.map(async (target) => {
        if (this.#wasHeard(target)) return
        try {
          await within(silenceMs, target.ping())
        } catch (reason) {
          // An answer is a sign of life, whatever it says: a user may have no right to ping.
          if (reason instanceof Error && reason.name === 'ReplyError') return
          if (target === client) this.end(reason)
          // The Cluster client forgets the node and finds it, or its successor, again.
          else target.disconnect()
        }
      }),
    )
  }

  /** Bytes from the server are a sign of life, and a ping more costs it as much as everything else that a quiet node asks. */
  #wasHeard(target: RedisClient): boolean {
    const read = target.stream?.bytesRead
    const before = this.#read.get(target)
    if (read !== undefined) this.#read.set(target, read)
    return read !== undefined && before !== undefined && read > before
  }

  readonly #onError = (error: unknown): void => {
    this.#lastError = error
  }

  readonly #onEnd = (): void => {
    this.end(this.#lastError ?? new Error('The connection was closed'))
    this.#tellClosed()
    this.client.off('error', this.#onError)
    this.client.off('end', this.#onEnd)
  }
}

function silenceFor(pingEveryMs: number): number {
  return Math.min(LONGEST_PING_MS, Math.max(SHORTEST_PING_MS, pingEveryMs))
}

function isReady(client: RedisClient): boolean {
  return client.status === 'ready'
}
