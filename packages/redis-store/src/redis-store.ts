/** The shared tier on Redis. Every mutation is one script; what each does is said in lua/. */

import type {
  ClaimReply,
  ClaimRequest,
  CodecFactory,
  EntryAddress,
  EvictRequest,
  FillReply,
  LockProvider,
  MutationReply,
  PartitionChanges,
  PutReply,
  PutRequest,
  RateLimitProvider,
  RemoteStore,
  SyncReply,
  TagBump,
  TagChanges,
} from '@larder/core/store'
import { Backend, type TroubleListener } from './backend.ts'
import { RedisBus } from './bus/redis-bus.ts'
import { msgpackCodec } from './codec/msgpack-codec.ts'
import { listOf, numberOf, textOf } from './commands/replies.ts'
import { TickBatch } from './commands/tick-batch.ts'
import { assertWritable } from './connection/assert-writable.ts'
import { isCluster } from './connection/redis-client.ts'
import { readEntries, readEntryHeaders } from './entries/entry-reader.ts'
import { readHeads } from './entries/heads.ts'
import { scanKeys } from './entries/key-scan.ts'
import { entryKey, logKey, tagsKey } from './key-layout.ts'
import { RedisLimits } from './limits/redis-limits.ts'
import { RedisLocks } from './locks/redis-locks.ts'
import {
  isClusterTarget,
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from './options.ts'

/** A longer script keeps other clients waiting. Each chunk is a change of its own, with a number of its own. */
const KEYS_PER_EVICT = 500
/** Claims or fills of one script: enough to share what a script call costs, few enough to keep nobody waiting. */
const ENTRIES_PER_SCRIPT = 16
/** Enough to share what a command costs, few enough for Redis to begin while this process is still handing out. */
const READS_AT_ONCE = 32
const BYTES_AS_HEAVY_AS_AN_ENTRY = 4_096

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
  return new RedisStore(resolveRedisStoreOptions(options))
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
  readonly readsAtOnce: number | undefined
  readonly #backend: Backend
  readonly #claims: TickBatch<Claim, ClaimReply>
  readonly #fills: TickBatch<Fill, FillReply>
  #namespace: string | undefined

  constructor(options: ResolvedRedisStoreOptions) {
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
    this.#claims = new TickBatch<Claim, ClaimReply>({
      run: (claims, isFull) => this.#claimAll(claims, isFull),
      most: ENTRIES_PER_SCRIPT,
      groupOf: isInCluster ? partitionOfCall : undefined,
    })
    this.#fills = new TickBatch<Fill, FillReply>({
      run: (fills, isFull) => this.#fillAll(fills, isFull),
      most: ENTRIES_PER_SCRIPT,
      weightOf: ({ bytes }) => Math.max(1, bytes.length / BYTES_AS_HEAVY_AS_AN_ENTRY),
      groupOf: isInCluster ? partitionOfCall : undefined,
    })
    this.locks = new RedisLocks({ backend: this.#backend, options, ownsBackend: false })
    this.limits = new RedisLimits({
      backend: this.#backend,
      ownsBackend: false,
      isCluster: isClusterTarget(options.target),
    })
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
    return this.#claims.add({ address, request })
  }

  async renew(address: EntryAddress, token: number, leaseMs: number): Promise<boolean> {
    const keys = [this.#entry(address)]
    const [isHeld] = await this.#backend.run({
      script: 'renew',
      keys,
      args: [token, Math.ceil(leaseMs)],
    })
    return isHeld === 1
  }

  async release(address: EntryAddress, token: number): Promise<void> {
    const keys = [this.#entry(address)]
    if (!this.#isConnected) await this.#backend.connected('release')
    await this.#backend.run({ script: 'release', keys, args: [token, this.#channel, address.key] })
  }

  fill(
    address: EntryAddress,
    token: number,
    bytes: Uint8Array,
    livesMs: number,
  ): Promise<FillReply> {
    return this.#fills.add({ address, token, bytes, livesMs })
  }

  async put(address: EntryAddress, request: PutRequest): Promise<PutReply> {
    const { partition, key } = address
    const { bytes, livesMs, since } = request
    if (!this.#isConnected) await this.#backend.connected('put')
    // Not before it is connected: only then the store's name is known.
    const at = [this.#channel, partition, key] as const
    const [stored, now, previous, seq] = await this.#backend.run({
      script: 'put',
      keys: [this.#entry(address), this.#log(partition)],
      args: [asBuffer(bytes), lifeOf(livesMs), since, ...at],
    })
    return {
      partition,
      stored: stored === 1,
      nowMs: numberOf(now),
      previous: numberOf(previous),
      seq: numberOf(seq),
    }
  }

  async evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
  ): Promise<readonly MutationReply[]> {
    if (!this.#isConnected) await this.#backend.connected('evict')
    return Promise.all(chunksOf(addresses).map((chunk) => this.#evictChunk(chunk, request)))
  }

  async sync(partitions: readonly number[]): Promise<SyncReply> {
    const client = await this.#backend.connected('sync')
    // Beside it, and not waited for: in a Cluster it may be another node's to answer.
    void this.bus.look()
    const namespace = this.#openNamespace
    // Sent before it: a master that became a replica answers everything else as before, and would confirm what was evicted.
    const [, reply] = await Promise.all([
      isCluster(client) ? undefined : assertWritable(client, namespace),
      readHeads(client, this.#backend.scripts, { namespace, partitions }),
    ])
    return reply
  }

  async changesSince(partition: number, seq: number): Promise<PartitionChanges> {
    const keys = [this.#log(partition)]
    const reply = await this.#backend.run({ script: 'changesSince', keys, args: [seq] })
    const [isKnown, head, ...changed] = reply
    return isKnown === 1
      ? { kind: 'delta', seq: numberOf(head), keys: changed.map(textOf) }
      : { kind: 'unknown', seq: numberOf(head) }
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

  /** One script call for all of them. */
  async #claimAll(claims: readonly Claim[], atOnce: boolean): Promise<readonly ClaimReply[]> {
    const leaseMs = claims[0]?.request.leaseMs ?? 0
    const args: (string | number)[] = [Math.ceil(leaseMs)]
    for (const { request } of claims) {
      const { token, seen, overtake } = request
      const isPlain = seen === 0 && overtake === 0 && request.leaseMs === leaseMs
      args.push(isPlain ? token : `${token},${seen},${overtake},${Math.ceil(request.leaseMs)}`)
    }
    const keys = claims.map(({ address }) => this.#entry(address))
    const reply = await this.#backend.run({ script: 'claim', keys, args, atOnce })
    const nowMs = numberOf(reply[0])
    return claims.map((_, i) => claimReply(reply[i + 1], nowMs))
  }

  /** One script call for all of them. */
  async #fillAll(fills: readonly Fill[], atOnce: boolean): Promise<readonly FillReply[]> {
    if (!this.#isConnected) await this.#backend.connected('fill')
    const keys: string[] = []
    const args: (string | number | Buffer)[] = [this.#channel]
    for (const { address, token, bytes, livesMs } of fills) {
      keys.push(this.#entry(address))
      args.push(token, asBuffer(bytes), lifeOf(livesMs))
    }
    const reply = await this.#backend.run({ script: 'fill', keys, args, atOnce })
    const nowMs = numberOf(reply[0])
    return fills.map((_, i) => {
      const livesMs = numberOf(reply[i + 1])
      return { stored: livesMs !== 0, nowMs, livesMs }
    })
  }

  async #evictChunk(
    chunk: readonly [EntryAddress, ...EntryAddress[]],
    { soft, settleMs }: EvictRequest,
  ): Promise<MutationReply> {
    const [{ partition }] = chunk
    const [now, previous, seq] = await this.#backend.run({
      script: 'evict',
      keys: [this.#log(partition), ...chunk.map((address) => this.#entry(address))],
      args: [
        soft ? 1 : 0,
        Math.ceil(settleMs),
        this.#channel,
        partition,
        ...chunk.map(({ key }) => key),
      ],
    })
    return { partition, nowMs: numberOf(now), previous: numberOf(previous), seq: numberOf(seq) }
  }

  #entry({ partition, key }: EntryAddress): string {
    return entryKey(this.#openNamespace, partition, key)
  }

  #log(partition: number): string {
    return logKey(this.#openNamespace, partition)
  }
}

interface Claim {
  readonly address: EntryAddress
  readonly request: ClaimRequest
}

interface Fill {
  readonly address: EntryAddress
  readonly token: number
  readonly bytes: Uint8Array
  readonly livesMs: number
}

function partitionOfCall({ address }: Claim | Fill): number {
  return address.partition
}

function claimReply(outcome: unknown, nowMs: number): ClaimReply {
  if (outcome === 1) return { kind: 'granted', nowMs }
  if (Buffer.isBuffer(outcome)) return { kind: 'filled', bytes: outcome, nowMs }
  const [holder, left] = listOf(outcome)
  return { kind: 'held', holder: numberOf(holder), remainingMs: numberOf(left), nowMs }
}

type Chunk = [EntryAddress, ...EntryAddress[]]

/** Divides addresses by partition, and into steps of bounded size. */
function chunksOf(addresses: readonly EntryAddress[]): readonly Chunk[] {
  const chunks: Chunk[] = []
  const open = new Map<number, Chunk>()
  for (const address of addresses) {
    const chunk = open.get(address.partition)
    if (chunk !== undefined && chunk.length < KEYS_PER_EVICT) {
      chunk.push(address)
      continue
    }
    const next: Chunk = [address]
    open.set(address.partition, next)
    chunks.push(next)
  }
  return chunks
}

/** Redis takes whole milliseconds, at least one. */
function lifeOf(ms: number): number {
  return Math.max(1, Math.ceil(ms))
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
