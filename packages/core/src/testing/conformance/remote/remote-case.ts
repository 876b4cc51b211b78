/** What a case about remote stores looks like, and what it is run on. */

import assert from 'node:assert/strict'
import type {
  ClaimReply,
  EntryAddress,
  RemoteCapabilities,
  RemoteStore,
} from '../../../contracts/remote-store.ts'
import { decodeEntry, encodeEntry, FLAG, type StoredEntry } from '../../../entry/envelope.ts'
import { BusRecorder } from '../bus-recorder.ts'
import { type Advance, eventually } from '../patience.ts'

export interface RemoteCase {
  readonly name: string
  /**
   * The case is skipped for stores without these capabilities; `bus`: for stores that deliver no messages; `swap`: for those
   * without that method.
   */
  readonly needs?: readonly (keyof RemoteCapabilities | 'bus' | 'swap')[]
  /** The case is skipped for stores with this capability: it is about what the others do instead. */
  readonly lacks?: keyof RemoteCapabilities
  /** The second node is opened in a namespace of its own, which begins with the first one's. */
  readonly isApart?: boolean
  run(stage: RemoteStage): Promise<void>
}

/** What of an entry a case cares about; the rest is filled in. */
export interface EntrySketch {
  readonly commit?: number
  readonly flags?: number
  readonly freshForMs?: number
  readonly livesForMs?: number
  readonly tags?: readonly string[]
  readonly payload?: Uint8Array
}

export const HOUR_MS = 3_600_000
export const LEASE_MS = 60_000
/** An eviction without extras. */
export const HARD = { soft: false, settleMs: 0 } as const

/** A store and the namespace it was opened in. */
export interface StageNode {
  readonly store: RemoteStore
  readonly namespace: string
}

/** Two nodes, on one fresh namespace unless the case asks for two. */
export class RemoteStage {
  readonly a: RemoteStore
  readonly b: RemoteStore
  readonly #nodes: readonly StageNode[]
  readonly #advance: Advance | undefined
  #lastToken = 0
  #lastCommit = 0

  constructor(nodes: readonly [StageNode, StageNode], advance?: Advance) {
    this.a = nodes[0].store
    this.b = nodes[1].store
    this.#nodes = nodes
    this.#advance = advance
  }

  /** A number that identifies a load, not used before in this case. */
  token(): number {
    this.#lastToken += 1
    return 0x1234_5678_0000 + this.#lastToken
  }

  /** Waits until something holds, letting the server's time pass. */
  until<Result>(
    what: string,
    condition: () => Result | Promise<Result>,
  ): Promise<Exclude<Result, undefined | false>> {
    return eventually(what, condition, this.#advance)
  }

  /** The stored form of an entry; fresh for an hour unless said otherwise. */
  entry(sketch: EntrySketch = {}): Buffer {
    this.#lastCommit += 1
    const { livesForMs = HOUR_MS, freshForMs = livesForMs, flags = 0 } = sketch
    return encodeEntry({
      flags,
      commit: sketch.commit ?? this.#lastCommit,
      birth: 1,
      freshForMs,
      staleForMs: freshForMs,
      livesForMs,
      loadMs: 3,
      schema: 7,
      steps: [],
      tags: sketch.tags ?? [],
      payload: sketch.payload ?? Buffer.from(`payload ${this.#lastCommit}`),
    })
  }

  /** Puts an entry whatever is there. */
  async put(address: EntryAddress, sketch: EntrySketch = {}): Promise<Buffer> {
    const bytes = this.entry(sketch)
    const livesMs = sketch.livesForMs ?? HOUR_MS
    await this.a.put(address, { bytes, livesMs, since: 0 })
    return bytes
  }

  /** Claims an entry that was not read before. */
  claim(store: RemoteStore, address: EntryAddress, token = this.token()): Promise<ClaimReply> {
    return store.claim(address, { token, leaseMs: LEASE_MS, seen: 0, overtake: 0 })
  }

  /** Claims an entry and insists on getting the lease. */
  async lease(store: RemoteStore, address: EntryAddress): Promise<number> {
    const token = this.token()
    const reply = await this.claim(store, address, token)
    assert.equal(reply.kind, 'granted')
    return token
  }

  /** Reads an entry's value; `undefined` when there is none, or only a header. */
  async value(store: RemoteStore, address: EntryAddress): Promise<StoredEntry | undefined> {
    const [bytes] = await store.read([address])
    if (bytes === undefined) return undefined
    const stored = decodeEntry(bytes)
    assert(stored !== undefined, 'what was read is not an entry')
    return (stored.flags & FLAG.empty) === 0 ? stored : undefined
  }

  /** Reads a partition's sequence number. */
  async head(store: RemoteStore, partition: number): Promise<number> {
    const { heads } = await store.sync([partition])
    assert(heads[0] !== undefined, `partition ${partition} has no head`)
    return heads[0]
  }

  /** Reads the tag clock. */
  async tagVersion(store: RemoteStore): Promise<number> {
    const { tags } = await store.sync([])
    assert(tags !== undefined, 'there is no tag clock')
    return tags.version
  }

  /** Subscribes a node to its store's bus and waits until that stands. */
  async listen(store: RemoteStore): Promise<BusRecorder> {
    const recorder = new BusRecorder()
    const node = this.#nodes.find((candidate) => candidate.store === store)
    assert(node !== undefined && store.bus !== undefined)
    store.bus.subscribe(node.namespace, recorder)
    await this.until('the subscription stands', () => recorder.ups > 0)
    return recorder
  }
}

/** An address in a partition of one's choice; stores must not assume a relation between key and partition. */
export function at(key: string, partition = 3): EntryAddress {
  return { partition, key: `c:${key}` }
}

/** Asserts that an entry carries this payload. */
export function assertPayload(stored: StoredEntry | undefined, bytes: Buffer): void {
  assert(stored !== undefined, 'there is no value')
  assert.deepEqual(Buffer.from(stored.payload), Buffer.from(decodeEntry(bytes)?.payload ?? []))
}
