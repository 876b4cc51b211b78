/** The shared tier on Redis. Every mutation is one script; what each does is said in lua/. */

import { setTimeout as delay } from 'node:timers/promises'
import type {
  ClaimReply,
  ClaimRequest,
  CodecFactory,
  EntryAddress,
  EvictRequest,
  FillReply,
  MutationReply,
  PartitionChanges,
  PutReply,
  PutRequest,
  RemoteStore,
  SyncReply,
  TagBump,
  TagChanges,
} from '@larder/core'
import { HEADER_BYTES } from '@larder/core'
import { msgpackCodec } from './codec/msgpack-codec.ts'
import { Connection } from './connection.ts'
import { channelName, entryKey, entryPattern, fullKeyOf, logKey, tagsKey } from './key-layout.ts'
import {
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from './options.ts'
import { RedisBus } from './redis-bus.ts'
import type { RedisClient } from './redis-client.ts'
import { bytesOf, listOf, numberOf, textOf } from './replies.ts'
import { ScriptRunner } from './script-runner.ts'

const KEYS_PER_COMMAND = 500
const SCAN_COUNT = 500

/**
 * Creates the shared tier on Redis (6.2 or newer, Valkey, Sentinel, Cluster) by ioredis.
 *
 * Nothing connects before the first use. A client handed in is duplicated, never reconfigured or closed.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', remote: redisStore({ url: process.env.REDIS_URL }) })
 */
export function redisStore(options: RedisStoreOptions = {}): RemoteStore {
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
  readonly #options: ResolvedRedisStoreOptions
  readonly #scripts: ScriptRunner
  #namespace = ''
  #channel = ''
  #connection: Connection | undefined
  #opening: Promise<void> | undefined
  #isClosed = false

  constructor(options: ResolvedRedisStoreOptions) {
    this.#options = options
    this.bus = new RedisBus(options.target, options.pingEveryMs)
    this.#scripts = new ScriptRunner(() => this.#client)
  }

  get ready(): boolean {
    // While the first attempt runs it is worth waiting for it: the engine's deadline bounds that.
    return this.#connection?.ready !== false
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.#channel = channelName(namespace)
    this.#opening ??= this.#connect()
    this.#opening.catch(() => undefined)
  }

  async read(addresses: readonly EntryAddress[]): Promise<readonly (Buffer | undefined)[]> {
    if (this.#connection?.isReady !== true) await this.#opening
    const client = this.#client
    if (client.isCluster !== true && addresses.length <= KEYS_PER_COMMAND) {
      return withoutNulls(await client.mgetBuffer(...this.#keysOf(addresses)))
    }
    return this.#inGroups(addresses, (keys) => client.mgetBuffer(...keys))
  }

  async readHeaders(addresses: readonly EntryAddress[]): Promise<readonly (Buffer | undefined)[]> {
    await this.#opening
    const client = this.#client
    return this.#inGroups(addresses, async (keys) => {
      const pipeline = client.pipeline()
      for (const key of keys) pipeline.getrangeBuffer(key, 0, HEADER_BYTES - 1)
      const replies = (await pipeline.exec()) ?? []
      return replies.map(([error, bytes]) => {
        if (error !== null) throw error
        return bytesOf(bytes).length === 0 ? null : bytesOf(bytes)
      })
    })
  }

  async claim(address: EntryAddress, request: ClaimRequest): Promise<ClaimReply> {
    await this.#opening
    const { token, leaseMs, seen, overtake } = request
    const reply = await this.#run('claim', [this.#entry(address)], [token, leaseMs, seen, overtake])
    const [code, now, detail, left] = listOf(reply)
    const nowMs = numberOf(now)
    if (code === 1) return { kind: 'granted', nowMs }
    if (code === 2) return { kind: 'filled', bytes: bytesOf(detail), nowMs }
    return { kind: 'held', holder: numberOf(detail), remainingMs: numberOf(left), nowMs }
  }

  async renew(address: EntryAddress, token: number, leaseMs: number): Promise<boolean> {
    await this.#opening
    return (await this.#run('renew', [this.#entry(address)], [token, leaseMs])) === 1
  }

  async release(address: EntryAddress, token: number): Promise<void> {
    await this.#opening
    await this.#run('release', [this.#entry(address)], [token, this.#channel, address.key])
  }

  async fill(
    address: EntryAddress,
    token: number,
    bytes: Uint8Array,
    livesMs: number,
  ): Promise<FillReply> {
    await this.#opening
    const args = [token, asBuffer(bytes), livesMs, this.#channel, address.key]
    const [stored, now, life] = listOf(await this.#run('fill', [this.#entry(address)], args))
    return { stored: stored === 1, nowMs: numberOf(now), livesMs: numberOf(life) }
  }

  async put(address: EntryAddress, { bytes, livesMs, since }: PutRequest): Promise<PutReply> {
    await this.#opening
    const { partition, key } = address
    const reply = await this.#run(
      'put',
      [this.#entry(address), logKey(this.#namespace, partition)],
      [asBuffer(bytes), livesMs, since, this.#channel, partition, key],
    )
    const [stored, now, previous, seq] = listOf(reply)
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
    await this.#opening
    const chunks = [...groupByPartition(addresses)].flatMap(([partition, items]) =>
      chunked(items.map(({ address }) => address)).map((chunk) => ({ partition, chunk })),
    )
    return Promise.all(
      chunks.map(({ partition, chunk }) => this.#evictChunk(partition, chunk, request)),
    )
  }

  async sync(partitions: readonly number[]): Promise<SyncReply> {
    await this.#opening
    const tags = this.#run('openTags', [tagsKey(this.#namespace)], []).then(listOf)
    const heads =
      this.#client.isCluster === true ? this.#headsOfCluster(partitions) : this.#heads(partitions)
    // Both were sent in this tick; a failure of the one must not leave the other's floating.
    const [tagReply, headReply] = await Promise.allSettled([tags, heads])
    if (tagReply.status === 'rejected') throw tagReply.reason
    if (headReply.status === 'rejected') throw headReply.reason
    const [version, floor, now] = tagReply.value
    return {
      nowMs: numberOf(now),
      tags: { version: numberOf(version), floor: numberOf(floor) },
      heads: headReply.value,
    }
  }

  async changesSince(partition: number, seq: number): Promise<PartitionChanges> {
    await this.#opening
    const reply = await this.#run('changesSince', [logKey(this.#namespace, partition)], [seq])
    const [isKnown, head, ...keys] = listOf(reply)
    return isKnown === 1
      ? { kind: 'delta', seq: numberOf(head), keys: keys.map(textOf) }
      : { kind: 'unknown', seq: numberOf(head) }
  }

  async bumpTags(tags: readonly string[], known: number, retentionMs: number): Promise<TagBump> {
    await this.#opening
    const args = [Math.floor(known), retentionMs, this.#channel, ...tags]
    const reply = listOf(await this.#run('bumpTags', [tagsKey(this.#namespace)], args))
    const [previous, version, floor] = reply.map(numberOf)
    return { previous: previous ?? 0, version: version ?? 0, floor: floor ?? 0 }
  }

  async tagsSince(version: number): Promise<TagChanges> {
    await this.#opening
    const reply = await this.#run('tagsSince', [tagsKey(this.#namespace)], [Math.floor(version)])
    const [now, floor, ...pairs] = listOf(reply)
    const tags: (readonly [string, number])[] = []
    for (let i = 0; i < pairs.length; i += 2) tags.push([textOf(pairs[i]), numberOf(pairs[i + 1])])
    return { version: numberOf(now), floor: numberOf(floor), tags }
  }

  async restoreTags(
    tags: readonly (readonly [tag: string, version: number])[],
    clock: number,
  ): Promise<void> {
    await this.#opening
    const args = [Math.floor(clock), this.#channel, ...tags.flat()]
    await this.#run('restoreTags', [tagsKey(this.#namespace)], args)
  }

  async *scan(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    await this.#opening
    const pattern = entryPattern(this.#namespace, prefix)
    const client = this.#client
    for (const master of client.nodes?.('master') ?? [client]) {
      let cursor = '0'
      do {
        const [next, keys] = await master.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
        cursor = next
        const found = keys.flatMap((key) => fullKeyOf(this.#namespace, key) ?? [])
        if (found.length > 0) yield found
      } while (cursor !== '0')
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.race([
      this.#opening?.catch(() => undefined),
      delay(100, undefined, { ref: false }),
    ])
    this.#connection?.close()
  }

  get #client(): RedisClient {
    if (this.#connection === undefined) throw new Error('The Redis store is not open')
    return this.#connection.client
  }

  async #connect(): Promise<void> {
    const connection = await Connection.to(this.#options.target, {
      onReady: () => this.bus.lookAgain(),
      onClose: () => undefined,
      onTopology: () => this.bus.lookAgain(),
    })
    if (this.#isClosed) {
      connection.close()
      return
    }
    this.#connection = connection
    await connection.connect()
  }

  #run(
    script: Parameters<ScriptRunner['run']>[0],
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    return this.#scripts.run(
      script,
      keys,
      args.map((arg) => (typeof arg === 'number' ? arg.toFixed(0) : arg)),
    )
  }

  async #evictChunk(
    partition: number,
    chunk: readonly EntryAddress[],
    { soft, settleMs }: EvictRequest,
  ): Promise<MutationReply> {
    const keys = [logKey(this.#namespace, partition), ...this.#keysOf(chunk)]
    const args = [soft ? 1 : 0, settleMs, this.#channel, partition, ...chunk.map(({ key }) => key)]
    const [now, previous, seq] = listOf(await this.#run('evict', keys, args)).map(numberOf)
    return { partition, nowMs: now ?? 0, previous: previous ?? 0, seq: seq ?? 0 }
  }

  async #heads(partitions: readonly number[]): Promise<readonly (number | undefined)[]> {
    const pipeline = this.#client.pipeline()
    for (const partition of partitions) pipeline.zscore(logKey(this.#namespace, partition), '!seq')
    const replies = (await pipeline.exec()) ?? []
    return Promise.all(
      partitions.map((partition, i) => {
        const [error, score] = replies[i] ?? [new Error('The pipeline was given up'), null]
        return error === null ? this.#headOrNew(partition, score) : Promise.reject(error)
      }),
    )
  }

  /** In a Cluster one master may be away: its partitions are unknown, the others are not. */
  #headsOfCluster(partitions: readonly number[]): Promise<readonly (number | undefined)[]> {
    return Promise.all(
      partitions.map(async (partition) => {
        try {
          const score = await this.#client.zscore(logKey(this.#namespace, partition), '!seq')
          return await this.#headOrNew(partition, score)
        } catch {
          return undefined
        }
      }),
    )
  }

  async #headOrNew(partition: number, score: unknown): Promise<number> {
    if (score !== null && score !== undefined) return -Number(score)
    return numberOf(await this.#run('openLog', [logKey(this.#namespace, partition)], []))
  }

  #entry({ partition, key }: EntryAddress): string {
    return entryKey(this.#namespace, partition, key)
  }

  #keysOf(addresses: readonly EntryAddress[]): string[] {
    return addresses.map((address) => this.#entry(address))
  }

  /** Reads in groups of one partition (a Cluster needs one slot a command) and of bounded size; results in order. */
  async #inGroups(
    addresses: readonly EntryAddress[],
    read: (keys: readonly string[]) => Promise<readonly (Buffer | null)[]>,
  ): Promise<readonly (Buffer | undefined)[]> {
    const results = new Array<Buffer | undefined>(addresses.length)
    const groups =
      this.#client.isCluster === true
        ? [...groupByPartition(addresses).values()]
        : [addresses.map((address, index) => ({ address, index }))]
    await Promise.all(
      groups.flatMap(chunked).map(async (group) => {
        const found = await read(group.map(({ address }) => this.#entry(address)))
        for (const [i, { index }] of group.entries()) results[index] = found[i] ?? undefined
      }),
    )
    return results
  }
}

function groupByPartition(
  addresses: readonly EntryAddress[],
): Map<number, { readonly address: EntryAddress; readonly index: number }[]> {
  const groups = new Map<number, { address: EntryAddress; index: number }[]>()
  for (const [index, address] of addresses.entries()) {
    const group = groups.get(address.partition) ?? []
    groups.set(address.partition, group)
    group.push({ address, index })
  }
  return groups
}

function chunked<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const chunks: (readonly Item[])[] = []
  for (let i = 0; i < items.length; i += KEYS_PER_COMMAND)
    chunks.push(items.slice(i, i + KEYS_PER_COMMAND))
  return chunks
}

/** Redis says null where the contract says undefined; in place, because this is on the path of every remote read. */
function withoutNulls(found: (Buffer | null | undefined)[]): (Buffer | undefined)[] {
  for (let i = 0; i < found.length; i++) found[i] ??= undefined
  return found as (Buffer | undefined)[]
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
