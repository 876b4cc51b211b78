/** What store, locks and limits share of one Redis: the connection for commands, the scripts, and the subscriber. */

import { StoreUnavailableError } from '@larder/core'
import { connectToMasters, followNodes, subscriberOf } from './cluster-nodes.ts'
import { createClient } from './create-client.ts'
import { Link } from './link.ts'
import { isClusterTarget, type ResolvedRedisStoreOptions } from './options.ts'
import { isCluster, type RedisClient } from './redis-client.ts'
import { bytesOf, listOf } from './replies.ts'
import { type ScriptCall, ScriptRunner } from './script-runner.ts'
import { Subscriber } from './subscriber.ts'

export class Backend {
  readonly scripts: ScriptRunner
  readonly subscriber: Subscriber
  readonly #link: Link

  /** `onDoubt` is told when a reconnect or a new topology suggests to look again at what is cached. */
  constructor({ target, pingEveryMs }: ResolvedRedisStoreOptions, onDoubt: () => void) {
    this.#link = new Link({
      create: async () => this.#followed(await createClient(target), onDoubt),
      prepare: async (client) => isCluster(client) && connectToMasters(client),
      pingEveryMs,
      onUp: onDoubt,
      onDown: () => undefined,
    })
    this.scripts = new ScriptRunner(() => this.#link.client)
    this.subscriber = new Subscriber({
      create: isClusterTarget(target) ? () => this.#createSubscriber() : () => createClient(target),
      pingEveryMs,
    })
  }

  /** The client while its connection stands. */
  get client(): RedisClient | undefined {
    return this.#link.client
  }

  /** True when no connection stands and the first attempt, which is worth waiting for, has ended. */
  get isDown(): boolean {
    return this.#link.isDown
  }

  /** Connects in the background; never throws because the other side is away. */
  open(): void {
    void this.#link.open()
  }

  /** Connects, and resolves when the first attempt has ended, well or badly. */
  whenTried(): Promise<void> {
    return this.#link.open()
  }

  /** @throws StoreUnavailableError, with the connection's last error as its cause */
  async connected(operation: string): Promise<RedisClient> {
    if (this.#link.client !== undefined) return this.#link.client
    await this.#link.open()
    if (this.#link.client !== undefined) return this.#link.client
    throw new StoreUnavailableError(operation, this.#link.lastError)
  }

  /** Runs a script; its reply as a list. */
  async run(call: ScriptCall): Promise<readonly unknown[]> {
    if (this.#link.client === undefined) await this.connected(call.script)
    const reply = await this.scripts.run(call)
    return typeof reply === 'number' ? [reply] : listOf(reply)
  }

  /** Runs a script that replies with bytes. */
  async runForBytes(call: ScriptCall): Promise<Buffer> {
    if (this.#link.client === undefined) await this.connected(call.script)
    return bytesOf(await this.scripts.run(call))
  }

  async close(): Promise<void> {
    await Promise.all([this.#link.close(), this.subscriber.close()])
  }

  #followed(client: RedisClient, onDoubt: () => void): RedisClient {
    if (!isCluster(client)) return client
    followNodes(client, ({ gone }) => {
      if (gone !== undefined) this.subscriber.leave(gone)
      onDoubt()
    })
    return client
  }

  async #createSubscriber(): Promise<RedisClient> {
    const cluster = await this.connected('subscribe')
    return isCluster(cluster) ? subscriberOf(cluster) : Promise.reject(new Error('Not a Cluster'))
  }
}
