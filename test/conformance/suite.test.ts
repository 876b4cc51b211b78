/** The conformance suite notices: stores with one defect each fail, and by the case that is about it. */

import {
  type EntryAddress,
  HEADER_BYTES,
  type MutationReply,
  OFFSET,
  type RemoteStore,
} from '@larder/core/store'
import {
  faultyBus,
  faultyRemoteStore,
  ManualClock,
  MemoryServer,
  type RemoteStoresUnderTest,
  remoteStoreCases,
} from '@larder/core/testing'
import { describe, expect, it } from 'vitest'

/** Replaces methods of a store by defective ones. */
type Defect = (store: RemoteStore) => Partial<RemoteStore>

const HOUR_MS = 3_600_000

const DEFECTS: readonly (readonly [defect: string, noticedBy: string, Defect])[] = [
  [
    'reads in the wrong order',
    'hands every node what was put',
    (store) => ({
      read: async (addresses) => (await store.read(addresses)).toReversed(),
    }),
  ],
  [
    'cuts payloads short',
    'keeps any bytes as they are',
    (store) => ({
      put: (address, request) =>
        store.put(address, { ...request, bytes: request.bytes.subarray(0, 1_000) }),
    }),
  ],
  [
    'lower-cases keys',
    'takes any text for a key',
    (store) => ({
      read: (addresses) => store.read(addresses.map(withoutDots)),
    }),
  ],
  [
    'stamps entries by the clock of the node',
    "stamps an entry's creation",
    (store) => ({
      read: async (addresses) => (await store.read(addresses)).map(backdated),
    }),
  ],
  [
    'never lets entries expire',
    'forgets an entry when its life is over',
    (store) => ({
      put: (address, request) => store.put(address, { ...request, livesMs: HOUR_MS }),
    }),
  ],
  ['mixes namespaces up', 'keeps namespaces apart', (store) => ({ open: () => store.open('one') })],
  [
    'grants every claim',
    'grants one of many claims',
    (store) => ({
      claim: async (address, request) => {
        const reply = await store.claim(address, request)
        if (reply.kind !== 'held') return reply
        return store.claim(address, { ...request, overtake: reply.holder })
      },
    }),
  ],
  [
    'does not say who holds the lease',
    'tells a second claimant who holds',
    (store) => ({
      claim: async (address, request) => {
        const reply = await store.claim(address, request)
        return reply.kind === 'held' ? { ...reply, holder: 0 } : reply
      },
    }),
  ],
  [
    'never hands over what was filled',
    'hands over what somebody filled',
    (store) => ({
      claim: async (address, request) => {
        const reply = await store.claim(address, request)
        return reply.kind === 'filled' ? { kind: 'granted', nowMs: reply.nowMs } : reply
      },
    }),
  ],
  [
    'ignores who is to be overtaken',
    'lets a claimant overtake',
    (store) => ({
      claim: (address, request) => store.claim(address, { ...request, overtake: 0 }),
    }),
  ],
  [
    'never lets a lease run out',
    'grants a claim when the lease has run out',
    (store) => ({
      claim: (address, request) => store.claim(address, { ...request, leaseMs: HOUR_MS }),
    }),
  ],
  [
    'stores every fill',
    'refuses a fill after an evict',
    (store) => ({
      fill: async (address, _token, bytes, livesMs) => {
        const { nowMs } = await store.put(address, { bytes, livesMs, since: 0 })
        return { stored: true, livesMs, nowMs }
      },
    }),
  ],
  [
    'renews for anybody',
    'extends a lease for its holder only',
    (store) => ({
      renew: async (address, token, leaseMs) =>
        (await store.renew(address, token, leaseMs)) || true,
    }),
  ],
  [
    'only pretends to renew',
    'keeps a lease alive by renewals',
    (store) => ({
      renew: (address, token) => store.renew(address, token, 1),
    }),
  ],
  [
    'only pretends to release',
    'lets the next one load after a release',
    () => ({
      release: async () => undefined,
    }),
  ],
  [
    'evicts softly only',
    'evicts a key for every node',
    (store) => ({
      evict: (addresses, request) => store.evict(addresses, { ...request, soft: true }),
    }),
  ],
  [
    'evicts hard only',
    'softens: keeps the bytes',
    (store) => ({
      evict: (addresses, request) => store.evict(addresses, { ...request, soft: false }),
    }),
  ],
  [
    'has no settle windows',
    'limits fills in a settle window',
    (store) => ({
      evict: (addresses, request) => store.evict(addresses, { ...request, settleMs: 0 }),
    }),
  ],
  [
    'never ends settle windows',
    'stops limiting fills',
    (store) => ({
      evict: (addresses, request) =>
        store.evict(addresses, { ...request, settleMs: request.settleMs * 10_000 }),
    }),
  ],
  [
    'answers for the first partition only',
    'evicts many keys of many partitions',
    (store) => ({
      evict: async (addresses, request) => (await store.evict(addresses, request)).slice(0, 1),
    }),
  ],
  [
    'puts whatever happened since',
    'turns a put into an evict when its key changed',
    (store) => ({
      put: (address, request) => store.put(address, { ...request, since: 0 }),
    }),
  ],
  [
    'knows every history',
    'does not pretend to know a number',
    (store) => ({
      changesSince: async (partition, seq) => {
        const changes = await store.changesSince(partition, seq)
        return changes.kind === 'unknown' ? { kind: 'delta', seq: changes.seq, keys: [] } : changes
      },
    }),
  ],
  [
    'lists the latest changes only',
    'lists the keys changed since',
    (store) => ({
      changesSince: async (partition, seq) => {
        const changes = await store.changesSince(partition, seq)
        return changes.kind === 'delta' ? { ...changes, keys: changes.keys.slice(-1) } : changes
      },
    }),
  ],
  [
    'reports heads in the wrong order',
    'gives every partition a head',
    (store) => ({
      sync: async (partitions) => {
        const reply = await store.sync(partitions)
        return { ...reply, heads: reply.heads.toReversed() }
      },
    }),
  ],
  [
    'counts loads as changes',
    'leaves the history alone',
    (store) => ({
      fill: async (address, token, bytes, livesMs) => {
        await store.evict([{ ...address, key: 'c:other' }], { soft: false, settleMs: 0 })
        return store.fill(address, token, bytes, livesMs)
      },
    }),
  ],
  [
    'mints without regard to the caller',
    'mints above what the caller has seen',
    (store) => ({
      bumpTags: (tags, _known, retentionMs) => store.bumpTags(tags, 0, retentionMs),
    }),
  ],
  [
    'keeps tags for ever',
    'forgets tags that no entry is old enough',
    (store) => ({
      bumpTags: (tags, known) => store.bumpTags(tags, known, HOUR_MS),
    }),
  ],
  [
    'drops tags at once',
    'keeps tags for the longest retention',
    (store) => ({
      bumpTags: (tags, known) => store.bumpTags(tags, known, 0),
    }),
  ],
  [
    'lists tags of the very version asked for',
    'lists only what was invalidated',
    (store) => ({
      tagsSince: (version) => store.tagsSince(version - 1),
    }),
  ],
  [
    'loses messages of changes',
    'tells every node, the changing one too',
    (store) => {
      return { bus: deafTo(store, 'keys') }
    },
  ],
  [
    'loses messages of tags',
    'tells every node which tags',
    (store) => {
      return { bus: deafTo(store, 'tags') }
    },
  ],
  ['wakes nobody', 'wakes those who wait', (store) => ({ bus: deafTo(store, 'wake') })],
  [
    'scans everything',
    'finds every key that begins with a prefix',
    (store) => ({
      scan: () => store.scan(''),
    }),
  ],
  [
    'scans the beginning only',
    'finds every key that begins with a prefix',
    (store) => ({
      async *scan(prefix) {
        for await (const keys of store.scan(prefix)) {
          yield keys
          return
        }
      },
    }),
  ],
  [
    'hangs after closing',
    'settles every call made after closing',
    (store) => {
      const isOpen = { value: true }
      return {
        read: (addresses) => (isOpen.value ? store.read(addresses) : new Promise(() => undefined)),
        close: async () => {
          isOpen.value = false
        },
      }
    },
  ],
]

describe('remoteStoreCases', () => {
  it.each(DEFECTS)('notices a store that %s', async (_, noticedBy, defect) => {
    const suite = remoteStoreCases(() => storesWith(defect))
    const relevant = suite.find(({ name }) => name.startsWith(noticedBy))
    await expect(relevant?.run()).rejects.toThrow()
  })

  it('finds nothing wrong with the same stores without a defect', async () => {
    const outcomes = await Promise.all(remoteStoreCases(() => storesWith()).map(({ run }) => run()))
    // What a store does in place of a capability is no question to one that has it.
    const reasons = outcomes.flatMap((each) => (each.kind === 'skipped' ? [each.reason] : []))
    expect(new Set(reasons)).toEqual(new Set(["memory claims the capability 'sequences'"]))
  })

  it('has a defect for every capability that can be lacking, and skips the cases about it', async () => {
    const without = { leases: false, sequences: false, tags: false, publishes: false, scans: false }
    const suite = remoteStoreCases(() =>
      storesWith((store) => ({ ...withoutHistory(store), capabilities: without })),
    )
    const outcomes = await Promise.all(suite.map(({ run }) => run()))
    const reasons = outcomes.flatMap((outcome) =>
      outcome.kind === 'skipped' ? [outcome.reason] : [],
    )
    for (const capability of Object.keys(without)) {
      expect(reasons).toContain(`memory does not claim the capability '${capability}'`)
    }
  })
})

function storesWith(defect: Defect = () => ({})): RemoteStoresUnderTest {
  const clock = new ManualClock()
  const server = new MemoryServer({ clock })
  const make = (): RemoteStore => {
    const store = server.store()
    return { ...faultyRemoteStore(store), ...defect(store) }
  }
  return { stores: [make(), make()], namespace: 'ns', advance: (ms) => clock.advanceAsync(ms) }
}

/** Numbers the changes of this very instance, and knows of no others. */
function withoutHistory(store: RemoteStore): Partial<RemoteStore> {
  const seqs = new Map<number, number>()
  const numbered = <Reply extends MutationReply>(reply: Reply): Reply => {
    const previous = seqs.get(reply.partition) ?? 0
    seqs.set(reply.partition, reply.seq)
    return { ...reply, previous }
  }
  return {
    put: async (address, request) => numbered(await store.put(address, request)),
    evict: async (addresses, request) => (await store.evict(addresses, request)).map(numbered),
    sync: async (partitions) => {
      const reply = await store.sync(partitions)
      return { ...reply, heads: partitions.map(() => undefined) }
    },
    changesSince: async () => ({ kind: 'unknown', seq: 0 }),
  }
}

function withoutDots(address: EntryAddress): EntryAddress {
  return { ...address, key: address.key.replaceAll('.', '') }
}

function backdated(bytes: Uint8Array | undefined): Uint8Array | undefined {
  if (bytes === undefined || bytes.length < HEADER_BYTES) return bytes
  const copy = Buffer.from(bytes)
  copy.writeUIntBE(copy.readUIntBE(OFFSET.createdAt, 6) - 60_000, OFFSET.createdAt, 6)
  return copy
}

function deafTo(
  store: RemoteStore,
  kind: 'keys' | 'tags' | 'wake',
): NonNullable<RemoteStore['bus']> {
  if (store.bus === undefined) throw new Error('There is no bus')
  const bus = faultyBus(store.bus)
  bus.faults.drop({ on: kind })
  return bus
}
