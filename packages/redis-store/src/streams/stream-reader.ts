/**
 * The connection of one consumer, for reads that wait.
 *
 * A command that waits holds up all others on its connection, so it has its own. It is not pinged, because a ping would wait behind the
 * command: a command that is not answered in its time shows that the connection is dead.
 */

import { StoreUnavailableError } from '@larder/core'
import type { StreamEntry, StreamGroup, StreamRead, StreamReader } from '@larder/core/store'
import type { Backend } from '../backend.ts'
import { Link } from '../connection/link.ts'
import type { RedisClient } from '../connection/redis-client.ts'
import { refused } from '../connection/refusal.ts'
import { within } from '../connection/within.ts'
import { readDelivered } from './stream-replies.ts'

/** How much longer than it was to wait a server may take to answer. */
const GRACE_MS = 2_000

export interface ReaderParts {
  readonly backend: Backend
  /** The stream's key. */
  readonly key: string
}

export class RedisStreamReader implements StreamReader {
  readonly #key: string
  readonly #link: Link
  #isClosed = false

  constructor({ backend, key }: ReaderParts) {
    this.#key = key
    this.#link = new Link({
      create: () => backend.createWaiting(key),
      prepare: (client) => backend.selectDatabase(client),
      pingEveryMs: Number.POSITIVE_INFINITY,
      onUp: () => undefined,
      onDown: () => undefined,
    })
  }

  async read(
    { group }: StreamGroup,
    { consumer, count, waitMs }: StreamRead,
  ): Promise<readonly StreamEntry[] | 'absent'> {
    const client = await this.#connected()
    if (client === undefined) return []
    // 0 would be for ever.
    const block = Math.max(1, Math.floor(waitMs))
    const args = ['GROUP', group, consumer, 'COUNT', `${count}`, 'BLOCK', `${block}`]
    const call = client.callBuffer('XREADGROUP', ...args, 'STREAMS', this.#key, '>')
    try {
      return readDelivered(await within(block + GRACE_MS, call))
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOGROUP')) return 'absent'
      if (this.#isClosed) return []
      // It was silent, or leads to a server that is not the right one any more.
      this.#link.renew(error)
      throw refused('streams.read', error)
    }
  }

  /** Ends a read that waits. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.#link.close()
  }

  /** `undefined` once it was closed. */
  async #connected(): Promise<RedisClient | undefined> {
    if (this.#link.client === undefined) await this.#link.open()
    if (this.#isClosed) return undefined
    const { client, lastError } = this.#link
    if (client !== undefined) return client
    throw new StoreUnavailableError('streams.read', lastError)
  }
}
