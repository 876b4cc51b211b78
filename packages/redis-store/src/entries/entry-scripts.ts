/** The scripts that work on entries, and how their calls are gathered and divided; lua/ says what each does. */

import type {
  ClaimReply,
  ClaimRequest,
  EntryAddress,
  EvictRequest,
  FillReply,
  MutationReply,
  PutReply,
  PutRequest,
} from '@larder/core/store'
import type { Backend } from '../backend.ts'
import { listOf, numberOf } from '../commands/replies.ts'
import { TickBatch } from '../commands/tick-batch.ts'
import { entryKey, logKey } from '../key-layout.ts'

/** A longer script keeps other clients waiting. Each chunk is a change of its own, with a number of its own. */
const KEYS_PER_EVICT = 500
/** Claims or fills of one script: enough to share the cost of a script call, few enough not to delay other clients. */
const ENTRIES_PER_SCRIPT = 16
const BYTES_AS_HEAVY_AS_AN_ENTRY = 4_096

export interface EntryScriptsParts {
  readonly backend: Backend
  readonly isInCluster: boolean
  /** @throws Error before the store is open */
  readonly namespace: () => string
  /** Where the scripts publish; known once there was a connection. */
  readonly channel: () => string
}

/** What is to be stored under a lease. */
export interface Fill {
  readonly address: EntryAddress
  readonly token: number
  readonly bytes: Uint8Array
  readonly livesMs: number
}

interface Claim {
  readonly address: EntryAddress
  readonly request: ClaimRequest
}

export class EntryScripts {
  readonly #backend: Backend
  readonly #namespace: () => string
  readonly #channel: () => string
  readonly #claims: TickBatch<Claim, ClaimReply>
  readonly #fills: TickBatch<Fill, FillReply>

  constructor({ backend, isInCluster, namespace, channel }: EntryScriptsParts) {
    this.#backend = backend
    this.#namespace = namespace
    this.#channel = channel
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
    await this.#backend.run({
      script: 'release',
      keys,
      args: [token, this.#channel(), address.key],
    })
  }

  fill(fill: Fill): Promise<FillReply> {
    return this.#fills.add(fill)
  }

  async put(address: EntryAddress, request: PutRequest): Promise<PutReply> {
    const { partition, key } = address
    const { bytes, livesMs, since } = request
    if (!this.#isConnected) await this.#backend.connected('put')
    // Not before it is connected: only then the store's name is known.
    const at = [this.#channel(), partition, key] as const
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

  /** The name of the store, and with it the channel, is known once there was a connection. */
  get #isConnected(): boolean {
    return this.#backend.client !== undefined
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
    const args: (string | number | Buffer)[] = [this.#channel()]
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
        this.#channel(),
        partition,
        ...chunk.map(({ key }) => key),
      ],
    })
    return { partition, nowMs: numberOf(now), previous: numberOf(previous), seq: numberOf(seq) }
  }

  #entry({ partition, key }: EntryAddress): string {
    return entryKey(this.#namespace(), partition, key)
  }

  #log(partition: number): string {
    return logKey(this.#namespace(), partition)
  }
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
