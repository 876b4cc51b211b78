/** The scripts for leases and what is loaded under them, and how their calls are gathered; lua/ says what each does. */

import type {
  ClaimReply,
  ClaimRequest,
  EntryAddress,
  FillReply,
  SwapReply,
  SwapRequest,
} from '@larder/core/store'
import type { Backend } from '../backend.ts'
import type { Announcer } from '../bus/announcer.ts'
import { bytesOf, listOf, numberOf } from '../commands/replies.ts'
import { TickBatch } from '../commands/tick-batch.ts'
import { entryKey, headsKey, logKey, owedKey } from '../key-layout.ts'
import { asBuffer, entryWeight, lifeOf } from './entry-bytes.ts'

/** Claims or fills of one script: enough to share the cost of a script call, few enough not to delay other clients. */
const ENTRIES_PER_SCRIPT = 16

export interface EntryScriptsParts {
  readonly backend: Backend
  readonly isInCluster: boolean
  /** @throws Error before the store is open */
  readonly namespace: () => string
  /** Where the scripts publish; known once there was a connection. */
  readonly channel: () => string
  readonly announcer: Announcer
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
  readonly #isInCluster: boolean
  readonly #announcer: Announcer
  readonly #namespace: () => string
  readonly #channel: () => string
  readonly #claims: TickBatch<Claim, ClaimReply>
  readonly #fills: TickBatch<Fill, FillReply>

  constructor({ backend, isInCluster, namespace, channel, announcer }: EntryScriptsParts) {
    this.#backend = backend
    this.#isInCluster = isInCluster
    this.#announcer = announcer
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
      weightOf: ({ bytes }) => entryWeight(bytes),
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

  /** One script call each: updates of one tick are rarely many. */
  async swap(address: EntryAddress, request: SwapRequest): Promise<SwapReply> {
    const { bytes, livesMs, seen, since } = request
    const { partition } = address
    if (!this.#isConnected) await this.#backend.connected('swap')
    const namespace = this.#namespace()
    const shared = this.#isInCluster ? [] : [headsKey(namespace), owedKey(namespace)]
    const [now, previous, seq, found, owes] = await this.#backend.run({
      script: 'swap',
      keys: [logKey(namespace, partition), this.#entry(address), ...shared],
      args: [this.#channel(), asBuffer(bytes), lifeOf(livesMs), seen, since],
    })
    const numbers = { nowMs: numberOf(now), seq: numberOf(seq) }
    const before = numberOf(previous)
    if (before !== 0) {
      const announcement = { waitsMs: numberOf(found), isOwed: owes === 1 }
      const announced = this.#announcer.note(announcement)
      return { stored: true, partition, previous: before, ...numbers, ...announced }
    }
    const there = found === undefined || found === null ? undefined : bytesOf(found)
    return { stored: false, bytes: there, ...numbers }
  }

  fill(fill: Fill): Promise<FillReply> {
    return this.#fills.add(fill)
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

  #entry({ partition, key }: EntryAddress): string {
    return entryKey(this.#namespace(), partition, key)
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
