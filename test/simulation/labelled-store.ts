/** A store that says what it sends, so that a history can be read and an effect be traced to what caused it. */

import type {
  Bus,
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
} from '@larder/core/store'
import type { MemoryRemoteStore } from '@larder/core/testing'
import { decodeEntry } from '../../packages/core/src/entry/envelope.ts'
import { originsOf } from './codec.ts'
import { PARTITIONS_USED } from './plan.ts'

/** What a request is about. */
export interface RequestLabel {
  readonly text: string
  readonly operation: string
  readonly isSoft: boolean
  /** Where what is put may have come from. */
  readonly origins: readonly number[]
}

/** Calls `send`, during which the request is handed to the network, under its label. */
export type Announce = <Reply>(label: RequestLabel, send: () => Reply) => Reply

type More = Partial<Pick<RequestLabel, 'isSoft' | 'origins'>>
type Bytes = Uint8Array | undefined

const UNUSED_HEAD = 1
const NONE: readonly number[] = []

export class LabelledStore implements RemoteStore {
  readonly name: string
  readonly capabilities: RemoteCapabilities
  readonly bus: Bus
  readonly #store: MemoryRemoteStore
  readonly #announce: Announce
  readonly #onStored: (origin: number) => void

  /** `onStored` hears of each put that the store did not turn into an evict. */
  constructor(
    store: MemoryRemoteStore,
    announce: Announce,
    onStored: (origin: number) => void = () => undefined,
  ) {
    this.name = store.name
    this.capabilities = store.capabilities
    this.bus = labelledBus(store.bus, announce)
    this.#store = store
    this.#announce = announce
    this.#onStored = onStored
  }

  get ready(): boolean {
    return this.#store.ready
  }

  open(namespace: string): void {
    this.#store.open(namespace)
  }

  read(addresses: readonly EntryAddress[]): Promise<readonly Bytes[]> {
    return this.#as('read', keysOf(addresses), () => this.#store.read(addresses))
  }

  readHeaders(addresses: readonly EntryAddress[]): Promise<readonly Bytes[]> {
    return this.#as('read-headers', keysOf(addresses), () => this.#store.readHeaders(addresses))
  }

  claim(address: EntryAddress, request: ClaimRequest): Promise<ClaimReply> {
    const how = request.overtake === 0 ? '' : ', overtaking'
    return this.#as('claim', address.key + how, () => this.#store.claim(address, request))
  }

  renew(address: EntryAddress, token: number, leaseMs: number): Promise<boolean> {
    return this.#as('renew', address.key, () => this.#store.renew(address, token, leaseMs))
  }

  release(address: EntryAddress, token: number): Promise<void> {
    return this.#as('release', address.key, () => this.#store.release(address, token))
  }

  fill(
    address: EntryAddress,
    token: number,
    bytes: Uint8Array,
    livesMs: number,
  ): Promise<FillReply> {
    const send = (): Promise<FillReply> => this.#store.fill(address, token, bytes, livesMs)
    return this.#as('fill', about(address, bytes), send, { origins: originsIn(bytes) })
  }

  async put(address: EntryAddress, request: PutRequest): Promise<PutReply> {
    const { bytes } = request
    const origins = originsIn(bytes)
    const send = (): Promise<PutReply> => this.#store.put(address, request)
    const reply = await this.#as('put', about(address, bytes), send, { origins })
    if (reply.stored) for (const origin of origins) this.#onStored(origin)
    return reply
  }

  async swap(address: EntryAddress, request: SwapRequest): Promise<SwapReply> {
    const { bytes } = request
    const origins = originsIn(bytes)
    const send = (): Promise<SwapReply> => this.#store.swap(address, request)
    const reply = await this.#as('swap', about(address, bytes), send, { origins })
    if (reply.stored) for (const origin of origins) this.#onStored(origin)
    return reply
  }

  evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
  ): Promise<readonly MutationReply[]> {
    const { soft, settleMs } = request
    const how = soft ? ', soft' : settleMs > 0 ? ', settle' : ''
    const send = (): Promise<readonly MutationReply[]> => this.#store.evict(addresses, request)
    return this.#as('evict', keysOf(addresses) + how, send, { isSoft: soft })
  }

  sync(partitions: readonly number[]): Promise<SyncReply> {
    return this.#as('sync', '', () => this.#syncUsed(partitions))
  }

  changesSince(partition: number, seq: number): Promise<PartitionChanges> {
    const send = (): Promise<PartitionChanges> => this.#store.changesSince(partition, seq)
    return this.#as('changes-since', `%${partition}`, send)
  }

  bumpTags(tags: readonly string[], known: number, retentionMs: number): Promise<TagBump> {
    const send = (): Promise<TagBump> => this.#store.bumpTags(tags, known, retentionMs)
    return this.#as('bump-tags', tags.join(' '), send)
  }

  tagsSince(version: number): Promise<TagChanges> {
    return this.#as('tags-since', '', () => this.#store.tagsSince(version))
  }

  scan(prefix: string): AsyncIterable<readonly string[]> {
    return this.#as('scan', prefix, () => this.#store.scan(prefix))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #as<Reply>(operation: string, what: string, send: () => Reply, more: More = {}): Reply {
    const { isSoft = false, origins = NONE } = more
    return this.#announce({ operation, text: `${operation} ${what}`.trim(), isSoft, origins }, send)
  }

  /**
   * No key is in most partitions, and nothing ever happens to them: they stand still, instead of costing every sync and
   * every flush sixty steps that find nothing.
   */
  async #syncUsed(partitions: readonly number[]): Promise<SyncReply> {
    const used = partitions.filter((partition) => partition < PARTITIONS_USED)
    const reply = await this.#store.sync(used)
    const heads = partitions.map((partition) => {
      const index = used.indexOf(partition)
      return index < 0 ? UNUSED_HEAD : reply.heads[index]
    })
    return { ...reply, heads }
  }
}

function labelledBus(bus: MemoryRemoteStore['bus'], announce: Announce): Bus {
  return {
    name: bus.name,
    subscribe: (namespace, listener) => bus.subscribe(namespace, listener),
    publish: (message) => {
      const label = { operation: 'publish', text: `publish ${message.kind}`, isSoft: false }
      return announce({ ...label, origins: NONE }, () => bus.publish(message))
    },
    close: () => bus.close(),
  }
}

function keysOf(addresses: readonly EntryAddress[]): string {
  return addresses.map(({ key }) => key).join(' ')
}

function about({ key }: EntryAddress, bytes: Uint8Array): string {
  const origins = originsIn(bytes)
  return origins.length === 0 ? key : `${key} with result ${origins.join(' ')}`
}

function originsIn(bytes: Uint8Array): readonly number[] {
  const payload = decodeEntry(bytes)?.payload
  return payload === undefined ? NONE : originsOf(payload)
}
