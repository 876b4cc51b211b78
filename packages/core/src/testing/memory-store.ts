/** One node's connection to a `MemoryServer`: a remote store and its bus. */

import type { Bus, BusListener } from '../contracts/bus.ts'
import type { CodecFactory } from '../contracts/codec.ts'
import type { EntryAddress, RemoteStore } from '../contracts/remote-store.ts'
import { HEADER_BYTES } from '../entry/envelope.ts'
import type { MemoryServer } from './memory-server.ts'

export interface MemoryStoreOptions {
  /** The codec for values; managers need one. */
  readonly codec?: CodecFactory | undefined
  /** How long a reply takes to be there, given the operation; may reject. @default a microtask */
  readonly reply?: ((operation: string) => Promise<void>) | undefined
}

/** A node's store, with its connection in the test's hands. */
export interface MemoryStore extends RemoteStore {
  /** Loses the bus subscription; messages sent meanwhile are lost. */
  disconnectBus(): void
  reconnectBus(): void
}

/** Connects a node to a server. */
export function memoryStore(server: MemoryServer, options: MemoryStoreOptions = {}): MemoryStore {
  const { codec, reply = () => Promise.resolve() } = options
  let listener: BusListener | undefined
  let unsubscribe: (() => void) | undefined
  const connect = (): void => {
    if (listener === undefined || unsubscribe !== undefined) return
    unsubscribe = server.subscribe(listener)
    const up = listener
    queueMicrotask(() => up.onUp())
  }
  const disconnect = (): void => {
    unsubscribe?.()
    unsubscribe = undefined
  }
  // Executed when the request arrives, answered when the reply does: a fault may fall on either side of the step.
  const answer = async <Result>(operation: string, step: () => Result): Promise<Result> => {
    await reply(operation)
    const result = step()
    await reply(operation)
    return result
  }
  const bus: Bus = {
    name: 'memory',
    subscribe: (_namespace, heard) => {
      listener = heard
      connect()
    },
    close: async () => disconnect(),
  }
  const found = (address: EntryAddress): Buffer | undefined => server.read(address.key)

  return {
    name: 'memory',
    capabilities: { leases: true, sequences: true, tags: true, publishes: true, scans: true },
    codec,
    bus,
    open: () => undefined,
    read: (addresses) => answer('read', () => addresses.map(found)),
    readHeaders: (addresses) =>
      answer('read-headers', () =>
        addresses.map((address) => found(address)?.subarray(0, HEADER_BYTES)),
      ),
    claim: (address, request) => answer('claim', () => server.claim(address, request)),
    renew: (address, token, leaseMs) =>
      answer('renew', () => server.renew(address, token, leaseMs)),
    release: (address, token) => answer('release', () => server.release(address, token)),
    fill: (address, token, bytes, livesMs) =>
      answer('fill', () => server.fill(address, token, bytes, livesMs)),
    put: (address, request) => answer('put', () => server.put(address, request)),
    evict: (addresses, request) => answer('evict', () => server.evict(addresses, request)),
    sync: (partitions) =>
      answer('sync', () => ({
        nowMs: server.nowMs,
        heads: partitions.map((partition) => server.head(partition)),
        tags: server.tagHead(),
      })),
    changesSince: (partition, seq) =>
      answer('changes-since', () => server.changesSince(partition, seq)),
    bumpTags: (tags, known, retentionMs) =>
      answer('bump-tags', () => server.bumpTags(tags, known, retentionMs)),
    tagsSince: (version) => answer('tags-since', () => server.tagsSince(version)),
    restoreTags: (tags, clock) => answer('restore-tags', () => server.restoreTags(tags, clock)),
    scan: async function* (prefix) {
      yield server.keys().filter((key) => key.startsWith(prefix))
    },
    close: async () => disconnect(),
    disconnectBus: () => {
      disconnect()
      listener?.onDown('disconnected by the test')
    },
    reconnectBus: connect,
  }
}
