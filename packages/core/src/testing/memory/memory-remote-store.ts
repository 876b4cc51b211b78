/** One node's remote store on a memory server. */

import type { BusMessage } from '../../contracts/bus.ts'
import type { Clock } from '../../contracts/clock.ts'
import type { CodecFactory } from '../../contracts/codec.ts'
import type {
  ClaimReply,
  ClaimRequest,
  EntryAddress,
  EvictRequest,
  FillReply,
  MutationReply,
  PartitionChanges,
  PutReply,
  PutRequest,
  RemoteCapabilities,
  RemoteStore,
  SwapReply,
  SwapRequest,
  SyncReply,
  TagBump,
  TagChanges,
} from '../../contracts/remote-store.ts'
import { HEADER_BYTES } from '../../entry/envelope.ts'
import type { RemoteFaults, RemoteOperation } from '../faults/remote-faults.ts'
import { structuredCodec } from '../structured-codec.ts'
import * as steps from './entry-steps.ts'
import { GatheredChanges } from './gathered-changes.ts'
import { MemoryBus } from './memory-bus.ts'
import type { DisconnectOptions, NodeLink } from './node-link.ts'
import { ANNOUNCED_WITHIN_MS, OwedAnnouncer } from './owed-announcer.ts'
import { nowMsOf, type Step } from './step.ts'
import { swap } from './swap-step.ts'

/** What a node's store needs of its server. */
export interface StoreHost {
  readonly clock: Clock
  /** Changes may wait to be announced. */
  readonly gathers: boolean
  /** Runs one atomic step on a namespace. */
  execute<Result>(namespace: string, run: (step: Step) => Result): Result
  /** Hands a message to every node of a namespace. */
  publish(namespace: string, message: BusMessage): void
}

export interface MemoryStoreOptions {
  /**
   * Puts and evictions of one tick travel together, as `redisStore` sends them: those of one partition share a number and a
   * message. @default false: each is a request of its own
   */
  readonly gathersChanges?: boolean | undefined
  /** Where changes wait to be announced: when this node announces those that it left. @default the server's clock */
  readonly clock?: Clock | undefined
  /** This node's messages are not what others hear: it hears of each change in the step that makes it. @default false */
  readonly hearsAtOnce?: boolean | undefined
}

const KEYS_PER_EVICT = 500
const KEYS_PER_SCAN = 100

/** A remote store, and what a test may do to its connections. */
export class MemoryRemoteStore implements RemoteStore {
  readonly name = 'memory'
  readonly capabilities: RemoteCapabilities = {
    leases: true,
    sequences: true,
    tags: true,
    publishes: true,
    scans: true,
  }
  readonly codec: CodecFactory = structuredCodec
  readonly bus: MemoryBus
  /** Faults of single operations. */
  readonly faults: RemoteFaults
  readonly #host: StoreHost
  readonly #link: NodeLink
  readonly #gathered: GatheredChanges | undefined
  #namespace: string | undefined
  readonly #announcer: OwedAnnouncer
  #syncs = 0

  constructor(
    host: StoreHost,
    link: NodeLink,
    faults: RemoteFaults,
    { gathersChanges = false, clock = host.clock }: MemoryStoreOptions = {},
  ) {
    this.#host = host
    this.#announcer = new OwedAnnouncer(host, link, clock)
    this.#link = link
    this.faults = faults
    if (gathersChanges)
      this.#gathered = new GatheredChanges((operation, step) => this.#send(operation, step))
    this.bus = new MemoryBus(link, (namespace, message) => host.publish(namespace, message))
  }

  /** The node's number, as deliveries name it. */
  get node(): number {
    return this.#link.node
  }

  get ready(): boolean {
    return this.#link.isReady
  }

  open(namespace: string): void {
    this.#namespace = namespace
  }

  read(addresses: readonly EntryAddress[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#run('read', (step) => addresses.map((address) => copyOf(step, address)), damageAll)
  }

  readHeaders(addresses: readonly EntryAddress[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#run(
      'readHeaders',
      (step) => addresses.map((address) => copyOf(step, address)?.subarray(0, HEADER_BYTES)),
      damageAll,
    )
  }

  claim(address: EntryAddress, request: ClaimRequest): Promise<ClaimReply> {
    return this.#run(
      'claim',
      (step) => steps.claim(step, address, request),
      (reply, damage) =>
        reply.kind === 'filled' ? { ...reply, bytes: damage(reply.bytes) } : reply,
    )
  }

  renew(address: EntryAddress, token: number, leaseMs: number): Promise<boolean> {
    return this.#run('renew', (step) => steps.renew(step, address, { token, leaseMs }))
  }

  release(address: EntryAddress, token: number): Promise<void> {
    return this.#run('release', (step) => steps.release(step, address, token))
  }

  fill(
    address: EntryAddress,
    token: number,
    bytes: Uint8Array,
    livesMs: number,
  ): Promise<FillReply> {
    // Copied when it is sent: what the caller does with its bytes afterwards is its own affair.
    const sent = Uint8Array.from(bytes)
    return this.#run('fill', (step) => steps.fill(step, address, { token, bytes: sent, livesMs }))
  }

  put(address: EntryAddress, request: PutRequest): Promise<PutReply> {
    const sent = { ...request, bytes: Uint8Array.from(request.bytes) }
    const gathered = this.#gathered
    if (gathered !== undefined)
      return this.faults.run('put', { run: () => gathered.put(address, sent) })
    return this.#run('put', (step) => steps.put(step, address, sent))
  }

  swap(address: EntryAddress, request: SwapRequest): Promise<SwapReply> {
    const sent = { ...request, bytes: Uint8Array.from(request.bytes) }
    return this.#run(
      'swap',
      (step) => swap(step, address, sent),
      (reply, damage) =>
        reply.stored || reply.bytes === undefined
          ? reply
          : { ...reply, bytes: damage(reply.bytes) },
    )
  }

  async evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
  ): Promise<readonly MutationReply[]> {
    const gathered = this.#gathered
    return Promise.all(
      groupsOf(addresses).map((group) =>
        gathered === undefined
          ? this.#run('evict', (step) => steps.evict(step, group, request))
          : this.faults.run('evict', { run: () => gathered.evict(group, request) }),
      ),
    )
  }

  sync(partitions: readonly number[]): Promise<SyncReply> {
    const turn = this.#syncs++ % Math.max(1, partitions.length)
    return this.#run('sync', (step) => ({
      nowMs: nowMsOf(step),
      heads: headsOf(step, partitions, turn),
      tags: step.space.tags(step.nowUs).head,
      ...(step.space.owed.length === 0 ? {} : { announcedWithinMs: ANNOUNCED_WITHIN_MS }),
    }))
  }

  changesSince(partition: number, seq: number): Promise<PartitionChanges> {
    return this.#run('changesSince', ({ space, nowUs }) =>
      space.log(partition, nowUs).changesSince(seq),
    )
  }

  bumpTags(tags: readonly string[], known: number, retentionMs: number): Promise<TagBump> {
    return this.#run('bumpTags', ({ space, nowUs, publish }) => {
      const bump = space.tags(nowUs).bump(tags, { known, retentionMs, nowUs })
      publish({ kind: 'tags', ...bump, tags })
      return bump
    })
  }

  tagsSince(version: number): Promise<TagChanges> {
    return this.#run('tagsSince', ({ space, nowUs }) => space.tags(nowUs).since(version))
  }

  async *scan(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    const keys = await this.#run('scan', (step) => step.space.keys(nowMsOf(step)))
    const found = keys.filter((key) => key.startsWith(prefix))
    for (let i = 0; i < found.length; i += KEYS_PER_SCAN) yield found.slice(i, i + KEYS_PER_SCAN)
  }

  async close(): Promise<void> {
    this.#announcer.close()
    this.#link.close()
  }

  /** Cuts the node's connections; calls reject, and the bus reports it, unless it happens silently. */
  disconnect(options?: DisconnectOptions): void {
    this.#link.disconnect(options)
  }

  reconnect(): void {
    this.#link.reconnect()
  }

  /** Lets nothing through in either direction until `resume`, as a stopped server or a black hole would. */
  hang(): void {
    this.#link.hang()
  }

  /** Lets everything take place that waited. */
  resume(): void {
    this.#link.resume()
  }

  #run<Result>(
    operation: RemoteOperation,
    step: (step: Step) => Result,
    damaged?: (result: Result, damage: (bytes: Uint8Array) => Uint8Array) => Result,
  ): Promise<Result> {
    const run = (): Promise<Result> => this.#send(operation, step)
    return this.faults.run(operation, damaged === undefined ? { run } : { run, damaged })
  }

  #send<Result>(operation: RemoteOperation, step: (step: Step) => Result): Promise<Result> {
    const namespace = this.#namespace
    if (namespace === undefined) return Promise.reject(new Error('The store is not open'))
    const host = this.#host
    if (!host.gathers) return this.#link.request(operation, () => host.execute(namespace, step))
    return this.#announcer.request(namespace, operation, step)
  }
}

function copyOf(step: Step, address: EntryAddress): Buffer | undefined {
  const bytes = step.space.get(address, nowMsOf(step))
  return bytes === undefined ? undefined : Buffer.from(bytes)
}

/** As noted, except for what was not noted and, with each sync, one more: those are read from their logs. */
function headsOf(
  { space, nowUs }: Step,
  partitions: readonly number[],
  turn: number,
): readonly number[] {
  return partitions.map((partition, i) => {
    const noted = i === turn ? undefined : space.notedHead(partition)
    return noted ?? space.openHead(partition, nowUs)
  })
}

function damageAll(
  found: readonly (Uint8Array | undefined)[],
  damage: (bytes: Uint8Array) => Uint8Array,
): readonly (Uint8Array | undefined)[] {
  return found.map((bytes) => (bytes === undefined ? undefined : damage(bytes)))
}

/** One group per partition, of bounded size: each is a step of its own, as it would be on a server with several shards. */
function groupsOf(
  addresses: readonly EntryAddress[],
): readonly (readonly [EntryAddress, ...EntryAddress[]])[] {
  const groups = new Map<number, [EntryAddress, ...EntryAddress[]][]>()
  for (const address of addresses) {
    const chunks = groups.get(address.partition) ?? []
    groups.set(address.partition, chunks)
    const last = chunks.at(-1)
    if (last === undefined || last.length === KEYS_PER_EVICT) chunks.push([address])
    else last.push(address)
  }
  return [...groups.values()].flat()
}
