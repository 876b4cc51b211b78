/** A remote store whose calls can be made to go wrong. */

import type { Clock } from '../../contracts/clock.ts'
import type { ClaimReply, RemoteStore, SwapReply } from '../../contracts/remote-store.ts'
import { type Damage, RemoteFaults } from './remote-faults.ts'

export interface FaultyRemoteStore extends RemoteStore {
  readonly faults: RemoteFaults
}

/**
 * Wraps a remote store so that its calls can be made to fail, hang, take long, lose their replies or return damaged bytes.
 *
 * Its bus, fleet, sessions, boards, streams, structures, events, topics and writes are the store's own; wrap the bus with `faultyBus` and hand that in as `bus` to have faults there too.
 *
 * @example
 * const store = faultyRemoteStore(new MemoryServer().store())
 * store.faults.hang({ on: ['read', 'claim'] })
 */
export function faultyRemoteStore(
  store: RemoteStore,
  options: { readonly clock?: Clock | undefined; readonly bus?: RemoteStore['bus'] } = {},
): FaultyRemoteStore {
  const faults = new RemoteFaults(options.clock)
  const swap = store.swap?.bind(store)
  return {
    faults,
    name: store.name,
    capabilities: store.capabilities,
    codec: store.codec,
    bus: options.bus ?? store.bus,
    readsAtOnce: store.readsAtOnce,
    fleet: store.fleet,
    boards: store.boards,
    writes: store.writes,
    eventStore: store.eventStore,
    topics: store.topics,
    sessions: store.sessions,
    streams: store.streams,
    structures: store.structures,
    get ready(): boolean {
      return store.ready ?? true
    },
    whenTried: () => store.whenTried?.() ?? Promise.resolve(),
    onTrouble: (listener) => store.onTrouble?.(listener),
    open: (namespace) => store.open(namespace),
    read: (addresses) =>
      faults.run('read', { run: () => store.read(addresses), damaged: damageAll }),
    readHeaders: (addresses) =>
      faults.run('readHeaders', { run: () => store.readHeaders(addresses), damaged: damageAll }),
    claim: (address, request) =>
      faults.run('claim', { run: () => store.claim(address, request), damaged: damageFilled }),
    renew: (address, token, leaseMs) =>
      faults.run('renew', { run: () => store.renew(address, token, leaseMs) }),
    release: (address, token) =>
      faults.run('release', { run: () => store.release(address, token) }),
    fill: (address, token, bytes, livesMs) =>
      faults.run('fill', { run: () => store.fill(address, token, bytes, livesMs) }),
    put: (address, request) => faults.run('put', { run: () => store.put(address, request) }),
    ...(swap === undefined
      ? {}
      : {
          swap: (address, request) =>
            faults.run('swap', { run: () => swap(address, request), damaged: damageRefused }),
        }),
    evict: (addresses, request) =>
      faults.run('evict', { run: () => store.evict(addresses, request) }),
    sync: (partitions) => faults.run('sync', { run: () => store.sync(partitions) }),
    changesSince: (partition, seq) =>
      faults.run('changesSince', { run: () => store.changesSince(partition, seq) }),
    bumpTags: (tags, known, retentionMs) =>
      faults.run('bumpTags', { run: () => store.bumpTags(tags, known, retentionMs) }),
    tagsSince: (version) => faults.run('tagsSince', { run: () => store.tagsSince(version) }),
    async *scan(prefix) {
      yield* await faults.run('scan', { run: async () => store.scan(prefix) })
    },
    close: () => store.close(),
  }
}

function damageAll(
  found: readonly (Uint8Array | undefined)[],
  damage: Damage,
): readonly (Uint8Array | undefined)[] {
  return found.map((bytes) => (bytes === undefined ? undefined : damage(bytes)))
}

function damageFilled(reply: ClaimReply, damage: Damage): ClaimReply {
  return reply.kind === 'filled' ? { ...reply, bytes: damage(reply.bytes) } : reply
}

function damageRefused(reply: SwapReply, damage: Damage): SwapReply {
  if (reply.stored || reply.bytes === undefined) return reply
  return { ...reply, bytes: damage(reply.bytes) }
}
