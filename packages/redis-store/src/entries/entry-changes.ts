/**
 * Puts and evictions: numbered, logged and published changes, gathered so that those of one tick share a script.
 *
 * Each change stands or fails alone. Changes of one key keep the order in which they were asked for: one that meets another
 * of its key among those that wait has them sent first. Puts and evictions have scripts of their own, because a full server
 * lets everything through that follows an eviction in its script.
 */

import type {
  EntryAddress,
  EvictRequest,
  MutationReply,
  PutReply,
  PutRequest,
} from '@larder/core/store'
import type { Backend } from '../backend.ts'
import type { Announcer } from '../bus/announcer.ts'
import { TickBatch } from '../commands/tick-batch.ts'
import { entryKey, headsKey, logKey, owedKey } from '../key-layout.ts'
import { readEvictAnswers, readPutAnswers } from './change-answers.ts'
import { asBuffer, entryWeight, lifeOf } from './entry-bytes.ts'

/** A longer script keeps other clients waiting. Each chunk is a change of its own, with a number of its own. */
const KEYS_PER_EVICT = 500
/** Enough to share the cost of a script call, few enough not to delay other clients. */
const PUTS_PER_SCRIPT = 16
const EVICTED_KEYS_PER_SCRIPT = 16
/** More of them share partitions; so many at once let the server begin while this process gathers the next. */
const GATHERED = 32

export interface EntryChangesParts {
  readonly backend: Backend
  readonly isInCluster: boolean
  /** @throws Error before the store is open */
  readonly namespace: () => string
  /** Where the scripts publish; known once there was a connection. */
  readonly channel: () => string
  readonly announcer: Announcer
}

interface Put {
  readonly address: EntryAddress
  readonly request: PutRequest
}

/** Keys of one partition that one caller evicts. */
interface Eviction {
  readonly partition: number
  readonly keys: string[]
  readonly request: EvictRequest
}

export class EntryChanges {
  readonly #parts: EntryChangesParts
  readonly #puts: TickBatch<Put, PutReply>
  readonly #evictions: TickBatch<Eviction, MutationReply>
  /** The keys of what waits. */
  #put = new Set<string>()
  #evicted = new Set<string>()

  constructor(parts: EntryChangesParts) {
    this.#parts = parts
    this.#puts = new TickBatch<Put, PutReply>({
      run: (puts, isFull) => this.#putAll(puts, isFull),
      most: PUTS_PER_SCRIPT,
      gathered: GATHERED,
      orderOf: ({ address }) => address.partition,
      weightOf: ({ request }) => entryWeight(request.bytes),
      groupOf: parts.isInCluster ? ({ address }) => address.partition : undefined,
    })
    this.#evictions = new TickBatch<Eviction, MutationReply>({
      run: (evictions, isFull) => this.#evictAll(evictions, isFull),
      most: EVICTED_KEYS_PER_SCRIPT,
      gathered: GATHERED,
      orderOf: ({ partition }) => partition,
      weightOf: ({ keys }) => keys.length,
      groupOf: parts.isInCluster ? ({ partition }) => partition : undefined,
    })
  }

  put(address: EntryAddress, request: PutRequest): Promise<PutReply> {
    const { key } = address
    if (this.#put.has(key)) this.#puts.flush()
    if (this.#evicted.has(key)) this.#evictions.flush()
    this.#put.add(key)
    return this.#puts.add({ address, request })
  }

  evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
  ): Promise<readonly MutationReply[]> {
    return Promise.all(evictionsOf(addresses, request).map((eviction) => this.#evict(eviction)))
  }

  /** What the scripts note heads in, and what waits to be announced. */
  get #shared(): readonly string[] {
    const { isInCluster, namespace } = this.#parts
    return isInCluster ? [] : [headsKey(namespace()), owedKey(namespace())]
  }

  #evict(eviction: Eviction): Promise<MutationReply> {
    for (const key of eviction.keys) {
      if (this.#put.has(key)) this.#puts.flush()
      this.#evicted.add(key)
    }
    return this.#evictions.add(eviction)
  }

  async #putAll(puts: readonly Put[], atOnce: boolean): Promise<readonly (PutReply | Error)[]> {
    this.#put = new Set()
    const { backend, namespace, channel, announcer } = this.#parts
    // Not before it is connected: only then the store's name is known.
    if (backend.client === undefined) await backend.connected('put')
    const logs: string[] = []
    const entries: string[] = []
    const args: (string | number | Buffer)[] = []
    const places: number[] = []
    let last: number | undefined
    for (const { address, request } of puts) {
      const { partition, key } = address
      // Those of one partition follow on each other.
      if (partition !== last) logs.push(logKey(namespace(), partition))
      last = partition
      places.push(logs.length)
      entries.push(entryKey(namespace(), partition, key))
      args.push(logs.length, asBuffer(request.bytes), lifeOf(request.livesMs), request.since)
    }
    const packed = await backend.runForBytes({
      script: 'put',
      keys: [...logs, ...entries, ...this.#shared],
      args: [channel(), logs.length, ...args],
      atOnce,
    })
    const { nowMs, announcement, answers } = readPutAnswers(packed, places, logs.length)
    const announced = announcer.note(announcement)
    return answers.map((answer, i) => {
      if (answer instanceof Error) return answer
      const { stored, previous, seq } = answer
      const { partition } = (puts[i] as Put).address
      return { partition, stored, nowMs, previous, seq, ...announced }
    })
  }

  async #evictAll(
    evictions: readonly Eviction[],
    atOnce: boolean,
  ): Promise<readonly (MutationReply | Error)[]> {
    this.#evicted = new Set()
    const { backend, namespace, channel, announcer } = this.#parts
    if (backend.client === undefined) await backend.connected('evict')
    const logs: string[] = []
    const entries: string[] = []
    const args: number[] = []
    const places: number[] = []
    for (const [i, eviction] of evictions.entries()) {
      const { partition, keys, request } = eviction
      if (i === 0 || !isOneChange(evictions[i - 1] as Eviction, eviction)) {
        logs.push(logKey(namespace(), partition))
        args.push(request.soft ? 1 : 0, Math.ceil(request.settleMs), 0)
      }
      places.push(logs.length - 1)
      args[args.length - 1] = (args.at(-1) ?? 0) + keys.length
      for (const key of keys) entries.push(entryKey(namespace(), partition, key))
    }
    const packed = await backend.runForBytes({
      script: 'evict',
      keys: [...logs, ...entries, ...this.#shared],
      args: [channel(), logs.length, ...args],
      atOnce,
    })
    const { nowMs, announcement, answers } = readEvictAnswers(packed, logs.length)
    const announced = announcer.note(announcement)
    return evictions.map(({ partition }, i) => {
      const answer = answers[places[i] ?? 0] as (typeof answers)[number]
      return answer instanceof Error ? answer : { partition, nowMs, ...answer, ...announced }
    })
  }
}

/** Keys of one partition that are evicted in one way share a number and a message. */
function isOneChange(one: Eviction, other: Eviction): boolean {
  const { soft, settleMs } = one.request
  return (
    one.partition === other.partition &&
    other.request.soft === soft &&
    other.request.settleMs === settleMs
  )
}

/** Divides addresses by partition, and into steps of bounded size. */
function evictionsOf(
  addresses: readonly EntryAddress[],
  request: EvictRequest,
): readonly Eviction[] {
  const evictions: Eviction[] = []
  const open = new Map<number, Eviction>()
  for (const { partition, key } of addresses) {
    const eviction = open.get(partition)
    if (eviction !== undefined && eviction.keys.length < KEYS_PER_EVICT) {
      eviction.keys.push(key)
      continue
    }
    const next: Eviction = { partition, keys: [key], request }
    open.set(partition, next)
    evictions.push(next)
  }
  return evictions
}
