/**
 * A look into what Larder keeps in a Redis, for tools: a command line, a dashboard.
 *
 * It is not a node: it subscribes to nothing by itself, creates no heads, and takes part in no recovery. One connection, made
 * once: where it ends, calls fail, and the tool says so. Everything here reads; what changes something goes through `store`,
 * whose scripts number, log and publish each change, so that the nodes that run hear of it as of any other.
 */

import { InvalidOptionError } from '@larder/core'
import {
  INTERNALS,
  type LockProvider,
  type RateLimitProvider,
  type RemoteStore,
  type SessionProvider,
} from '@larder/core/store'
import { connectToMasters, slotOf } from '../connection/cluster-nodes.ts'
import { Connection } from '../connection/connection.ts'
import { createClient } from '../connection/create-client.ts'
import { isCluster, type RedisClient } from '../connection/redis-client.ts'
import { refusalOf } from '../connection/refusal.ts'
import { targetDatabase } from '../connection/target-database.ts'
import { hashTagOf, logKey } from '../key-layout.ts'
import {
  type RedisInternals,
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from '../options.ts'
import { storeOf } from '../redis-store.ts'
import { sessionsOf } from '../sessions/redis-sessions.ts'
import { type BusTail, type BusTailListener, tailBus } from './bus-tail.ts'
import { type ChannelProbe, type Delivery, probeChannel } from './channel-probe.ts'
import { type EntryFacts, readEntryFacts } from './entry-facts.ts'
import { readFleet, type SeenFleet } from './fleet.ts'
import type { Inspected } from './inspected.ts'
import { type LimitRow, scanLimits } from './limits.ts'
import { type LockRow, readLock, scanLocks } from './locks.ts'
import { type NamespaceFacts, readNamespace } from './namespace-facts.ts'
import { type NamespaceRow, scanNamespaces } from './namespaces.ts'
import { type Looked, type ScanOptions, scanServers } from './scan.ts'
import { type EntryRow, readEntryBytes, scanEntries } from './scanned-entries.ts'
import { InspectedServer } from './server.ts'

/** A replica is looked into as well: what it refuses does not end the connection. */
const KEPT = { reconnectOnError: null }

const PING_EVERY_MS = 2_000
/** A person can wait for longer than a node, whose callers do: a server that is busy is looked into as well. */
const PATIENCE_MS = 10_000

/** What leads to a Redis: options as for `redisStore`, or what was made of them by `redisStore`, `redisLocks`, `redisLimits` or `redisSessions`. */
export type InspectionSource =
  | RedisStoreOptions
  | RemoteStore
  | LockProvider
  | RateLimitProvider
  | SessionProvider

/**
 * Connects to a Redis to look into it. Nothing is written.
 *
 * @throws InvalidOptionError; what the connection failed with, without credentials
 * @example const inspection = await inspectRedis({ url: process.env.REDIS_URL })
 */
export async function inspectRedis(source: InspectionSource): Promise<Inspection> {
  const options = optionsOf(source)
  const database = targetDatabase(options.target)
  const connection = new Connection(await createClient(options.target, database, KEPT))
  await connection.establish(async (client) => {
    if (isCluster(client)) await connectToMasters(client)
    else if (database !== 0) await client.select(database)
  })
  connection.watch(PING_EVERY_MS, PATIENCE_MS)
  return new Inspection(options, database, connection)
}

export class Inspection implements Inspected {
  /** The number of the database. */
  readonly database: number
  readonly #options: ResolvedRedisStoreOptions
  readonly #connection: Connection
  readonly #opened: { close(): Promise<void> }[] = []

  /** Use `inspectRedis`. */
  constructor(options: ResolvedRedisStoreOptions, database: number, connection: Connection) {
    this.#options = options
    this.database = database
    this.#connection = connection
  }

  /** Commands go to the server that has the key. */
  get client(): RedisClient {
    return this.#connection.client
  }

  get isCluster(): boolean {
    return isCluster(this.client)
  }

  /** Resolves with the reason when the connection has ended. */
  get ended(): Promise<unknown> {
    return this.#connection.ended
  }

  /** The servers behind the connection: one, or those of a Cluster. */
  servers(which: 'masters' | 'all' = 'masters'): readonly InspectedServer[] {
    const { client } = this
    if (!isCluster(client)) return [new InspectedServer(client)]
    return client
      .nodes(which === 'all' ? 'all' : 'master')
      .map((node) => new InspectedServer(node, client))
  }

  /** The address of the master that has a partition; `undefined` outside of a Cluster, and where none is known. */
  masterOf(namespace: string, partition: number): string | undefined {
    const { client } = this
    const slot = slotOf(hashTagOf(logKey(namespace, partition)))
    return isCluster(client) ? client.slots[slot]?.[0] : undefined
  }

  /** Namespaces whose keys are found, by a scan of bounded length. */
  namespaces(options: ScanOptions = {}): AsyncGenerator<Looked<NamespaceRow>> {
    return scanNamespaces(this.servers(), options)
  }

  /** What there is to say of a namespace without looking at its entries. */
  namespace(namespace: string): Promise<NamespaceFacts> {
    return readNamespace(this, namespace)
  }

  /** Entries whose full key begins with `prefix`, each at least once, in no order; in constant memory. */
  entries(
    namespace: string,
    prefix: string,
    options: ScanOptions & { readonly wantsHeaders?: boolean } = {},
  ): AsyncGenerator<Looked<EntryRow>> {
    return scanEntries(this, { namespace, prefix }, options)
  }

  /** Everything that decides what a read of a full key (`products:42`) would do. */
  entry(namespace: string, key: string): Promise<EntryFacts> {
    return readEntryFacts(this.client, namespace, key)
  }

  /** The whole stored entry; `undefined` when there is none. */
  entryBytes(namespace: string, key: string): Promise<Buffer | undefined> {
    return readEntryBytes(this.client, namespace, key)
  }

  locks(namespace: string, options: ScanOptions = {}): AsyncGenerator<Looked<LockRow>> {
    return scanLocks(this, namespace, options)
  }

  lock(namespace: string, name: string): Promise<LockRow | undefined> {
    return readLock(this.client, namespace, name)
  }

  limits(namespace: string, options: ScanOptions = {}): AsyncGenerator<Looked<LimitRow>> {
    return scanLimits(this, namespace, options)
  }

  /** The nodes that run, as far as that can be read. */
  fleet(namespace: string): Promise<SeenFleet> {
    return readFleet(this, namespace)
  }

  /** How many keys the servers hold, of whatever application; `undefined` where the user has no right to ask. */
  async keyCount(): Promise<number | undefined> {
    try {
      const counts = await Promise.all(this.servers().map((server) => server.number('DBSIZE')))
      return counts.reduce((sum, count) => sum + count, 0)
    } catch (error) {
      if (refusalOf(error) === 'rights') return undefined
      throw error
    }
  }

  /** Keys of any application, by a scan of bounded length. */
  keys(pattern: string, options: ScanOptions = {}): AsyncGenerator<Looked<string>> {
    return scanServers(this.servers(), pattern, options)
  }

  /** Hears what is said on the bus of a namespace from now on, over a connection of its own that comes back. */
  tail(namespace: string, listener: BusTailListener): BusTail {
    const parts = { options: this.#options, database: this.database }
    const tail = tailBus({ ...parts, namespace, listener })
    this.#opened.push(tail)
    return tail
  }

  /** Publishes on a channel of its own from each master, and tells what arrived. @throws what was refused */
  probe(probe: ChannelProbe): Promise<readonly Delivery[]> {
    return probeChannel(this, this.#options, probe)
  }

  /**
   * The same Redis as a store, to change something by the scripts that nodes use. The first change connects, and leaves the
   * random name of the store there where it has none.
   */
  store(namespace: string): RemoteStore {
    const store = storeOf(this.#options)
    store.open(namespace)
    this.#opened.push(store)
    return store
  }

  /** The sessions that are kept there, over a connection of their own. */
  sessions(namespace: string): SessionProvider {
    const sessions = sessionsOf(this.#options)
    sessions.open(namespace)
    this.#opened.push(sessions)
    return sessions
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((each) => each.close()))
    this.#connection.end(new Error('The inspection was closed'))
    await this.#connection.closed
  }
}

/** @throws InvalidOptionError */
function optionsOf(source: InspectionSource): ResolvedRedisStoreOptions {
  const internals = (source as { readonly [INTERNALS]?: Partial<RedisInternals> } | null)?.[
    INTERNALS
  ]
  if (internals === undefined) return resolveRedisStoreOptions(source as RedisStoreOptions)
  if (internals.options?.target !== undefined) return internals.options
  throw new InvalidOptionError({
    option: 'inspectRedis',
    expected: 'options of redisStore, or a store, locks, limits or sessions on Redis',
    received: source,
    described: 'something else of Larder',
  })
}
