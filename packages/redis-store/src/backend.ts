/** What store, locks and limits of one Redis share: the connection for commands, the scripts, and the subscriber. */

import { StoreSetupError, StoreUnavailableError } from '@larder/core'
import { bytesOf, listOf } from './commands/replies.ts'
import { type ScriptCall, ScriptRunner } from './commands/script-runner.ts'
import { assertWritable } from './connection/assert-writable.ts'
import {
  connectToMasters,
  followNodes,
  masterFinder,
  peerOf,
  subscriberOf,
} from './connection/cluster-nodes.ts'
import { createClient, duplicateClient } from './connection/create-client.ts'
import { Link } from './connection/link.ts'
import { isCluster, type RedisClient } from './connection/redis-client.ts'
import { refused } from './connection/refusal.ts'
import type { Use } from './connection/rights.ts'
import { type MissingRights, missingRights, rightsError } from './connection/rights.ts'
import { Subscriber } from './connection/subscriber.ts'
import { targetDatabase } from './connection/target-database.ts'
import { hashTagOf } from './key-layout.ts'
import { isClusterTarget, type ResolvedRedisStoreOptions } from './options.ts'

export type TroubleListener = (error: Error) => void

/** The listener for the connection for commands. */
export interface BackendListener {
  /** A further step that must succeed before the connection counts as standing. */
  prepare?(client: RedisClient): Promise<unknown>
  /** The connection stands (again). */
  onUp?(): void
  /** The connection is gone, or the first attempt failed; called once until it stands again. */
  onDown?(reason: unknown): void
  /** A Cluster has another topology: look again at what is cached. */
  onDoubt?(): void
}

export class Backend {
  readonly scripts: ScriptRunner
  readonly subscriber: Subscriber
  /** Called with what keeps the server from being used as intended; once per kind. */
  onTrouble: TroubleListener | undefined
  readonly #link: Link
  readonly #options: ResolvedRedisStoreOptions
  #database: number | undefined
  #namespace: string | undefined
  readonly #listener: BackendListener
  readonly #uses = new Set<Use>()
  /** Subscribers beside the shared one. */
  readonly #others = new Set<Subscriber>()
  #trouble = ''

  constructor(options: ResolvedRedisStoreOptions, listener: BackendListener = {}) {
    const { target, pingEveryMs } = options
    this.#options = options
    this.#listener = listener
    this.#link = new Link({
      create: async () => this.#followed(await createClient(target, this.database)),
      prepare: (client) => this.#prepare(client),
      pingEveryMs,
      onUp: () => {
        void this.#checkRights()
        this.#followServer()
        listener.onUp?.()
      },
      onDown: (reason) => listener.onDown?.(reason),
    })
    this.scripts = new ScriptRunner(() => this.#link.client)
    this.subscriber = this.#newSubscriber()
  }

  /**
   * Returns a further subscriber, on a connection of its own: so that a flood of its messages ends no other subscription. With `shardOf`,
   * in a Cluster, to the server whose shard has that channel. `release` closes it.
   */
  ownSubscriber(shardOf?: string): { readonly subscriber: Subscriber; release(): Promise<void> } {
    const subscriber = this.#newSubscriber(shardOf)
    this.#others.add(subscriber)
    const release = (): Promise<void> => {
      this.#others.delete(subscriber)
      return subscriber.close()
    }
    return { subscriber, release }
  }

  /** The client while its connection stands. */
  get client(): RedisClient | undefined {
    return this.#link.client
  }

  /** The number of the database that is used: of a client that was passed in, the one it has selected at the first look. */
  get database(): number {
    this.#database ??= targetDatabase(this.#options.target)
    return this.#database
  }

  /** True when no connection stands and the first attempt, which is worth waiting for, has ended. */
  get isDown(): boolean {
    return this.#link.isDown
  }

  /** Connects in the background, at the first call; never throws because the other side is away. */
  open(namespace: string, use: Use): void {
    this.#namespace ??= namespace
    if (this.#uses.has(use)) return
    this.#uses.add(use)
    if (this.#link.client === undefined) void this.#link.open()
    else void this.#checkRights()
  }

  /** Connects, and resolves when the first attempt has ended, well or badly. */
  whenTried(): Promise<void> {
    return this.#link.open()
  }

  /** @throws StoreSetupError; StoreUnavailableError, with the connection's last error as its cause */
  async connected(operation: string): Promise<RedisClient> {
    if (this.#link.client !== undefined) return this.#link.client
    await this.#link.open()
    if (this.#link.client !== undefined) return this.#link.client
    const { lastError } = this.#link
    if (lastError instanceof StoreSetupError) throw lastError
    throw new StoreUnavailableError(operation, lastError)
  }

  /** Runs a script; its reply as a list. @throws StoreRefusedError, and what `connected` throws */
  async run(call: ScriptCall): Promise<readonly unknown[]> {
    const reply = await this.#reply(call)
    return typeof reply === 'number' ? [reply] : listOf(reply)
  }

  /** Runs a script that replies with bytes. @throws StoreRefusedError, and what `connected` throws */
  async runForBytes(call: ScriptCall): Promise<Buffer> {
    return bytesOf(await this.#reply(call))
  }

  /**
   * Makes a client, which has not connected yet, for commands that wait: they would hold up all others. It leads to the server of a key.
   *
   * @throws as `connected`
   */
  async createWaiting(key: string): Promise<RedisClient> {
    const { target } = this.#options
    if (!isClusterTarget(target)) return createClient(target, this.database)
    const cluster = await this.connected('read')
    const master = isCluster(cluster) ? masterFinder(cluster)(hashTagOf(key)) : undefined
    if (master === undefined) throw new StoreUnavailableError('read')
    return duplicateClient(master)
  }

  /** ioredis goes on with database 0 when the server refuses another one. */
  async selectDatabase(client: RedisClient): Promise<void> {
    if (!isClusterTarget(this.#options.target) && this.database !== 0)
      await client.select(this.database)
  }

  async close(): Promise<void> {
    const subscribers = [this.subscriber, ...this.#others]
    await Promise.all([this.#link.close(), ...subscribers.map((each) => each.close())])
  }

  async #reply(call: ScriptCall): Promise<unknown> {
    if (this.#link.client === undefined) await this.connected(call.script)
    try {
      return await this.scripts.run(call)
    } catch (error) {
      throw refused(call.script, error)
    }
  }

  async #prepare(client: RedisClient): Promise<void> {
    if (isCluster(client)) await connectToMasters(client)
    else {
      await this.selectDatabase(client)
      if (this.#namespace !== undefined) await assertWritable(client, this.#namespace)
    }
    await this.#listener.prepare?.(client)
  }

  /** No caller waits for this: a call without its right fails by itself, and this tells about all missing rights at once. */
  async #checkRights(): Promise<void> {
    const { client } = this.#link
    const namespace = this.#namespace
    if (client === undefined || namespace === undefined) return
    let missing: MissingRights
    try {
      missing = await missingRights(client, namespace, this.#uses)
    } catch {
      // The connection is over; the next one is looked at again.
      return
    }
    const error = rightsError(namespace, missing)
    const isNews = error !== undefined && error.message !== this.#trouble
    this.#trouble = error?.message ?? ''
    if (isNews) this.onTrouble?.(error)
  }

  #followed(client: RedisClient): RedisClient {
    if (!isCluster(client)) return client
    followNodes(client, ({ gone }) => {
      const subscribers = [this.subscriber, ...this.#others]
      if (gone !== undefined) for (const each of subscribers) each.leave(gone)
      this.#listener.onDoubt?.()
    })
    return client
  }

  /** After a failover nobody publishes to the old server any more, and a connection to it may well stand. */
  #followServer(): void {
    const { client } = this.#link
    if (client === undefined || isCluster(client)) return
    for (const each of this.#others) each.follow(peerOf(client))
  }

  #newSubscriber(shardOf?: string): Subscriber {
    const { target, pingEveryMs } = this.#options
    const create = isClusterTarget(target)
      ? () => this.#createSubscriber(shardOf)
      : () => createClient(target, this.database)
    return new Subscriber({ create, pingEveryMs })
  }

  async #createSubscriber(shardOf: string | undefined): Promise<RedisClient> {
    const cluster = await this.connected('subscribe')
    if (!isCluster(cluster)) throw new Error('Not a Cluster')
    const master = shardOf === undefined ? undefined : masterFinder(cluster)(shardOf)
    return master === undefined ? subscriberOf(cluster) : duplicateClient(master)
  }
}
