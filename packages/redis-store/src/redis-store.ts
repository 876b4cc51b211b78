/** The shared tier on Redis. Every mutation is one script; what each does is said in lua/. */

import type {
  BoardProvider,
  ClaimReply,
  ClaimRequest,
  CodecFactory,
  EntryAddress,
  EventStoreProvider,
  EvictRequest,
  FillReply,
  FleetProvider,
  LockProvider,
  MutationReply,
  PartitionChanges,
  PutReply,
  PutRequest,
  RateLimitProvider,
  RemoteStore,
  SessionProvider,
  StreamProvider,
  StructureProvider,
  SwapReply,
  SwapRequest,
  SyncReply,
  TagBump,
  TagChanges,
  TopicProvider,
  WriteProvider,
} from '@larder/core/store'
import { INTERNALS } from '@larder/core/store'
import { Backend, type TroubleListener } from './backend.ts'
import { RedisBoards } from './boards/redis-boards.ts'
import { Announcer } from './bus/announcer.ts'
import { RedisBus } from './bus/redis-bus.ts'
import { msgpackCodec } from './codec/msgpack-codec.ts'
import { numberOf, textOf } from './commands/replies.ts'
import { assertWritable } from './connection/assert-writable.ts'
import { isCluster } from './connection/redis-client.ts'
import { changesIn } from './entries/change-records.ts'
import { EntryChanges } from './entries/entry-changes.ts'
import { readEntries, readEntryHeaders } from './entries/entry-reader.ts'
import { EntryScripts } from './entries/entry-scripts.ts'
import { Heads } from './entries/heads.ts'
import { scanKeys } from './entries/key-scan.ts'
import { RedisEventStore } from './event-store/redis-event-store.ts'
import { RedisFleet } from './fleet/redis-fleet.ts'
import { headsKey, logKey, tagsKey } from './key-layout.ts'
import { RedisLimits } from './limits/redis-limits.ts'
import { RedisLocks } from './locks/redis-locks.ts'
import {
  isClusterTarget,
  type RedisInternals,
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from './options.ts'
import { RedisSessions } from './sessions/redis-sessions.ts'
import { RedisStreams } from './streams/redis-streams.ts'
import { RedisStructures } from './structures/redis-structures.ts'
import { RedisTopics } from './topics/redis-topics.ts'
import { RedisWrites } from './writes/redis-writes.ts'

/** Enough to share what a command costs, few enough for Redis to begin while this process is still handing out. */
const READS_AT_ONCE = 32

/**
 * Creates the shared tier on Redis (6.2 or newer, Valkey; standalone, Sentinel, Cluster) by ioredis 5 or 6.
 *
 * Nothing connects before the first use, and nothing throws because Redis is away. A client handed in is duplicated,
 * never reconfigured or closed.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', remote: redisStore({ url: process.env.REDIS_URL }) })
 */
export function redisStore(options: RedisStoreOptions): RemoteStore {
  return storeOf(resolveRedisStoreOptions(options))
}

/** The same of options that were checked already. */
export function storeOf(options: ResolvedRedisStoreOptions): RemoteStore {
  return new RedisStore(options)
}

class RedisStore implements RemoteStore {
  readonly name = 'redis'
  readonly capabilities = {
    leases: true,
    sequences: true,
    tags: true,
    publishes: true,
    scans: true,
  }
  readonly codec: CodecFactory = msgpackCodec
  readonly bus: RedisBus
  readonly locks: LockProvider
  readonly limits: RateLimitProvider
  readonly fleet: FleetProvider
  readonly sessions: SessionProvider
  readonly boards: BoardProvider
  readonly streams: StreamProvider
  readonly eventStore: EventStoreProvider
  readonly topics: TopicProvider
  readonly structures: StructureProvider
  readonly writes: WriteProvider
  readonly readsAtOnce: number | undefined
  readonly #options: ResolvedRedisStoreOptions
  readonly #backend: Backend
  readonly #entries: EntryScripts
  readonly #changes: EntryChanges
  readonly #heads: Heads
  readonly #announcer: Announcer
  #namespace: string | undefined

  constructor(options: ResolvedRedisStoreOptions) {
    this.#options = options
    this.#backend = new Backend(options, {
      prepare: (client) => this.bus.prepare(client),
      onUp: () => this.bus.connected(),
      onDown: (reason) => this.bus.disconnected(reason),
      onDoubt: () => this.bus.doubt(),
    })
    this.bus = new RedisBus(this.#backend)
    // In a Cluster the keys of one command have to be of one slot: the more are gathered, the fewer commands.
    const isInCluster = isClusterTarget(options.target)
    this.readsAtOnce = isInCluster ? undefined : READS_AT_ONCE
    const place = {
      backend: this.#backend,
      namespace: () => this.#openNamespace,
      channel: () => this.#channel,
    }
    this.#announcer = new Announcer(place)
    const parts = { ...place, isInCluster, announcer: this.#announcer }
    this.#entries = new EntryScripts(parts)
    this.#changes = new EntryChanges(parts)
    this.#heads = new Heads(this.#backend.scripts)
    const backed = { backend: this.#backend, options, ownsBackend: false }
    this.locks = new RedisLocks(backed)
    this.limits = new RedisLimits(backed)
    this.fleet = new RedisFleet(backed)
    this.sessions = new RedisSessions(backed)
    this.boards = new RedisBoards(backed)
    this.streams = new RedisStreams(backed)
    this.eventStore = new RedisEventStore(backed)
    this.topics = new RedisTopics(backed)
    this.structures = new RedisStructures(backed)
    this.writes = new RedisWrites(backed)
  }

  /** For tools. Not a field: what prints a store must not print its URL. */
  get [INTERNALS](): RedisInternals {
    return { options: this.#options }
  }

  /** True while it connects for the first time, which is worth waiting for: the engine's deadline bounds that. */
  get ready(): boolean {
    return !this.#backend.isDown
  }

  onTrouble(listener: TroubleListener): void {
    this.#backend.onTrouble = listener
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.bus.open(namespace)
    this.#backend.open(namespace, 'cache')
  }

  whenTried(): Promise<void> {
    return this.#backend.whenTried()
  }

  read(addresses: readonly EntryAddress[]): Promise<readonly (Buffer | undefined)[]> {
    const { client } = this.#backend
    if (client !== undefined) return readEntries(client, this.#openNamespace, addresses)
    return this.#backend
      .connected('read')
      .then((connected) => readEntries(connected, this.#openNamespace, addresses))
  }

  async readHeaders(addresses: readonly EntryAddress[]): Promise<readonly (Buffer | undefined)[]> {
    const client = await this.#backend.connected('readHeaders')
    return readEntryHeaders(client, this.#openNamespace, addresses)
  }

  claim(address: EntryAddress, request: ClaimRequest): Promise<ClaimReply> {
    return this.#entries.claim(address, request)
  }

  renew(address: EntryAddress, token: number, leaseMs: number): Promise<boolean> {
    return this.#entries.renew(address, token, leaseMs)
  }

  release(address: EntryAddress, token: number): Promise<void> {
    return this.#entries.release(address, token)
  }

  fill(
    address: EntryAddress,
    token: number,
    bytes: Uint8Array,
    livesMs: number,
  ): Promise<FillReply> {
    return this.#entries.fill({ address, token, bytes, livesMs })
  }

  put(address: EntryAddress, request: PutRequest): Promise<PutReply> {
    return this.#changes.put(address, request)
  }

  evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
  ): Promise<readonly MutationReply[]> {
    return this.#changes.evict(addresses, request)
  }

  swap(address: EntryAddress, request: SwapRequest): Promise<SwapReply> {
    return this.#entries.swap(address, request)
  }

  async sync(partitions: readonly number[]): Promise<SyncReply> {
    const client = await this.#backend.connected('sync')
    const namespace = this.#openNamespace
    const { stream } = client
    // In one write: taking it in costs the server more than what it says.
    stream?.cork()
    // Beside it, and not waited for: in a Cluster it may be another node's to answer.
    void this.bus.look()
    // Sent before it: a master that became a replica answers everything else as before, and would confirm what was evicted.
    const writable = isCluster(client) ? undefined : assertWritable(client, namespace)
    const reading = this.#heads.read(client, { namespace, partitions })
    stream?.uncork()
    const [, reply] = await Promise.all([writable, reading])
    return reply
  }

  async changesSince(partition: number, seq: number): Promise<PartitionChanges> {
    const namespace = this.#openNamespace
    const heads = isClusterTarget(this.#options.target) ? [] : [headsKey(namespace)]
    const keys = [logKey(namespace, partition), ...heads]
    const reply = await this.#backend.run({ script: 'changesSince', keys, args: [seq] })
    const [isKnown, head, ...records] = reply
    const stand = numberOf(head)
    return isKnown === 1
      ? { kind: 'delta', seq: stand, ...changesIn(records) }
      : { kind: 'unknown', seq: stand }
  }

  async bumpTags(tags: readonly string[], known: number, retentionMs: number): Promise<TagBump> {
    if (!this.#isConnected) await this.#backend.connected('bumpTags')
    const [previous, version, floor] = await this.#backend.run({
      script: 'bumpTags',
      keys: [tagsKey(this.#openNamespace)],
      args: [Math.floor(known), Math.ceil(retentionMs), this.#channel, ...tags],
    })
    return { previous: numberOf(previous), version: numberOf(version), floor: numberOf(floor) }
  }

  async tagsSince(version: number): Promise<TagChanges> {
    const keys = [tagsKey(this.#openNamespace)]
    const reply = await this.#backend.run({
      script: 'tagsSince',
      keys,
      args: [Math.floor(version)],
    })
    const [now, floor, ...pairs] = reply
    const tags: (readonly [string, number])[] = []
    for (let i = 0; i < pairs.length; i += 2) tags.push([textOf(pairs[i]), numberOf(pairs[i + 1])])
    return { version: numberOf(now), floor: numberOf(floor), tags }
  }

  async *scan(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    const client = await this.#backend.connected('scan')
    yield* scanKeys(client, this.#openNamespace, prefix)
  }

  /** Closes the bus as well: it may be subscribed by way of this store's connection. */
  async close(): Promise<void> {
    await this.#announcer.close()
    await Promise.all([this.#backend.close(), this.bus.close()])
  }

  /** The name of the store, and with it the channel, is known once there was a connection. */
  get #isConnected(): boolean {
    return this.#backend.client !== undefined
  }

  /** Where the scripts publish. */
  get #channel(): string {
    return this.bus.channel
  }

  get #openNamespace(): string {
    if (this.#namespace === undefined) throw new Error('The Redis store is not open')
    return this.#namespace
  }
}
