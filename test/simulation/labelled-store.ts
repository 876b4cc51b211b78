/** A store that says what it sends, so that a history can be read and an effect be traced to what caused it. */

import type { EntryAddress, RemoteStore, SyncReply } from '@larder/core'
import type { MemoryRemoteStore } from '@larder/core/testing'
import { decodeEntry } from '../../packages/core/src/entry/envelope.ts'
import { originOf } from './codec.ts'
import { PARTITIONS_USED } from './plan.ts'

const UNUSED_HEAD = 1

/** What a request is about. */
export interface RequestLabel {
  readonly text: string
  readonly operation: string
  readonly isSoft: boolean
  /** Where the value of a put came from. */
  readonly origin: number | undefined
}

/** Calls `send`, during which the request is handed to the network, under its label. */
export type Announce = <Reply>(label: RequestLabel, send: () => Reply) => Reply

/** Wraps a node's store so that every request is announced. */
export function labelledStore(store: MemoryRemoteStore, announce: Announce): RemoteStore {
  const under = <Reply>(
    operation: string,
    about: string,
    send: () => Reply,
    more: Partial<RequestLabel> = {},
  ): Reply =>
    announce(
      {
        operation,
        text: `${operation} ${about}`.trim(),
        isSoft: false,
        origin: undefined,
        ...more,
      },
      send,
    )
  return {
    name: store.name,
    capabilities: store.capabilities,
    codec: store.codec,
    bus: store.bus,
    get ready(): boolean {
      return store.ready
    },
    open: (namespace) => store.open(namespace),
    read: (addresses) => under('read', keysOf(addresses), () => store.read(addresses)),
    readHeaders: (addresses) =>
      under('read-headers', keysOf(addresses), () => store.readHeaders(addresses)),
    claim: (address, request) => {
      const how = request.overtake === 0 ? '' : ', overtaking'
      return under('claim', address.key + how, () => store.claim(address, request))
    },
    renew: (address, token, leaseMs) =>
      under('renew', address.key, () => store.renew(address, token, leaseMs)),
    release: (address, token) => under('release', address.key, () => store.release(address, token)),
    fill: (address, token, bytes, livesMs) =>
      under('fill', about(address, bytes), () => store.fill(address, token, bytes, livesMs)),
    put: (address, request) =>
      under('put', about(address, request.bytes), () => store.put(address, request), {
        origin: originIn(request.bytes),
      }),
    evict: (addresses, request) => {
      const how = request.soft ? ', soft' : request.settleMs > 0 ? ', settle' : ''
      return under('evict', keysOf(addresses) + how, () => store.evict(addresses, request), {
        isSoft: request.soft,
      })
    },
    sync: (partitions) => under('sync', '', () => syncUsed(store, partitions)),
    changesSince: (partition, seq) =>
      under('changes-since', `%${partition}`, () => store.changesSince(partition, seq)),
    bumpTags: (tags, known, retentionMs) =>
      under('bump-tags', tags.join(' '), () => store.bumpTags(tags, known, retentionMs)),
    tagsSince: (version) => under('tags-since', '', () => store.tagsSince(version)),
    restoreTags: (tags, clock) =>
      under('restore-tags', tags.map(([tag]) => tag).join(' '), () =>
        store.restoreTags(tags, clock),
      ),
    scan: (prefix) => store.scan(prefix),
    close: () => store.close(),
  }
}

/**
 * No key is in most partitions, and nothing ever happens to them: they stand still, instead of costing every sync and
 * every flush sixty steps that find nothing.
 */
async function syncUsed(store: RemoteStore, partitions: readonly number[]): Promise<SyncReply> {
  const used = partitions.filter((partition) => partition < PARTITIONS_USED)
  const reply = await store.sync(used)
  const heads = partitions.map((partition) => {
    const index = used.indexOf(partition)
    return index < 0 ? UNUSED_HEAD : reply.heads[index]
  })
  return { ...reply, heads }
}

function keysOf(addresses: readonly EntryAddress[]): string {
  return addresses.map(({ key }) => key).join(' ')
}

function about({ key }: EntryAddress, bytes: Uint8Array): string {
  const origin = originIn(bytes)
  return origin === undefined ? key : `${key} with result ${origin}`
}

function originIn(bytes: Uint8Array): number | undefined {
  const payload = decodeEntry(bytes)?.payload
  return payload === undefined ? undefined : originOf(payload)
}
