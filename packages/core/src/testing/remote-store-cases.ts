/** What every remote store must do: each atomic step of the contract, as two nodes see it. */

import assert from 'node:assert/strict'
import type { BusMessage } from '../contracts/bus.ts'
import type { EntryAddress, RemoteCapabilities, RemoteStore } from '../contracts/remote-store.ts'
import { decodeHeader, encodeEntry, FLAG } from '../entry/envelope.ts'
import type { ConformanceCase } from './cases.ts'

/** Two handles on one empty store, and what releases them. */
export interface StorePair {
  readonly a: RemoteStore
  readonly b: RemoteStore
  close(): Promise<void>
}

type Check = (pair: StorePair) => Promise<void>

const HOUR_MS = 3_600_000
const LEASE_MS = 10_000
const WITHIN_MS = 5_000

/** The conformance suite of `RemoteStore`. `capabilities` are those of the store under test. */
export function remoteStoreCases(
  make: () => Promise<StorePair>,
  capabilities: RemoteCapabilities,
): readonly ConformanceCase[] {
  const fact = (
    name: string,
    needs: keyof RemoteCapabilities | undefined,
    check: Check,
  ): ConformanceCase => ({
    name,
    skipped: needs === undefined || capabilities[needs] ? undefined : `says it has no ${needs}`,
    run: async () => {
      const pair = await make()
      try {
        await check(pair)
      } finally {
        await pair.close()
      }
    },
  })
  return [
    fact('reads nothing where nothing is', undefined, readsNothing),
    fact('reads in order what was put, with a stamped creation time', undefined, readsWhatWasPut),
    fact('reads headers of entries of any size', undefined, readsHeaders),
    fact('claims, fills and reads back', undefined, claimsAndFills),
    fact('grants one of two claims, and tells the other who holds it', 'leases', grantsOne),
    fact('is idempotent for the same token', 'leases', claimsTwice),
    fact('answers a claim with what somebody filled meanwhile', 'leases', answersFilled),
    fact('keeps a wanting value readable while it is loaded anew', 'leases', keepsStale),
    fact(
      'lets a waiter take a lease over, after which the old holder cannot fill',
      'leases',
      overtakes,
    ),
    fact('refuses a fill after an evict', 'leases', refusesAfterEvict),
    fact('refuses a fill after a put', 'leases', refusesAfterPut),
    fact('frees the lease on release, and only for its holder', 'leases', releases),
    fact('renews only for the holder', 'leases', renews),
    fact('keeps a soft-evicted value, marked stale', undefined, softens),
    fact('limits what is filled in a settle window', 'leases', settles),
    fact('numbers changes and lists those since a number', 'sequences', numbersChanges),
    fact('does not pretend to know a history that is not its own', 'sequences', unknownHistory),
    fact('turns a put into an evict when the key was changed since', 'sequences', putsSince),
    fact('mints strictly rising tag versions, above what the caller knows', 'tags', mintsTags),
    fact('lists tags since a version, and puts lost ones back', 'tags', listsTags),
    fact('prunes old tags by raising the floor', 'tags', prunesTags),
    fact('publishes changes in the same step', 'publishes', publishes),
    fact('wakes waiters on fill and release, and nobody else', 'publishes', wakes),
    fact('scans by prefix, whatever characters it holds', 'scans', scans),
  ]
}

const at = (key: string, partition = 7): EntryAddress => ({ partition, key })

function entry(commit: number, payload = 'payload', freshForMs = HOUR_MS): Buffer {
  return encodeEntry({
    flags: 0,
    commit,
    birth: 1,
    freshForMs,
    staleForMs: HOUR_MS,
    livesForMs: HOUR_MS,
    loadMs: 5,
    schema: 0,
    steps: [],
    tags: ['t'],
    payload: Buffer.from(payload),
  })
}

const put = (bytes: Buffer, since = 0) => ({ bytes, livesMs: HOUR_MS, since })
const claim = (token: number, seen = 0, overtake = 0) => ({
  token,
  leaseMs: LEASE_MS,
  seen,
  overtake,
})

async function commitOf(store: RemoteStore, address: EntryAddress): Promise<number | undefined> {
  const [bytes] = await store.read([address])
  const header = bytes === undefined ? undefined : decodeHeader(bytes)
  return header === undefined || (header.flags & FLAG.empty) !== 0 ? undefined : header.commit
}

async function readsNothing({ a }: StorePair): Promise<void> {
  const found = await a.read([at('x'), at('y', 8)])
  assert.deepEqual(
    found.map((bytes) => bytes ?? undefined),
    [undefined, undefined],
  )
}

async function readsWhatWasPut({ a, b }: StorePair): Promise<void> {
  const { nowMs } = await a.sync([7])
  await a.put(at('k1'), put(entry(1)))
  await a.put(at('k2', 8), put(entry(2)))
  const found = await b.read([at('k2', 8), at('none'), at('k1')])
  assert.deepEqual(
    found.map((bytes) => (bytes ? decodeHeader(bytes)?.commit : undefined)),
    [2, undefined, 1],
  )
  const createdAt = decodeHeader(found[0] ?? Buffer.alloc(0))?.createdAt ?? 0
  assert.ok(createdAt >= nowMs - 1 && createdAt < nowMs + 60_000)
}

async function readsHeaders({ a, b }: StorePair): Promise<void> {
  await a.put(at('big'), put(entry(3, 'x'.repeat(200_000))))
  const [header, none] = await b.readHeaders([at('big'), at('none')])
  assert.equal(decodeHeader(header ?? Buffer.alloc(0))?.commit, 3)
  assert.equal(none ?? undefined, undefined)
}

async function claimsAndFills({ a, b }: StorePair): Promise<void> {
  assert.equal((await a.claim(at('k'), claim(11))).kind, 'granted')
  assert.equal(await commitOf(b, at('k')), undefined)
  const reply = await a.fill(at('k'), 11, entry(1), HOUR_MS)
  assert.deepEqual([reply.stored, reply.livesMs], [true, HOUR_MS])
  assert.equal(await commitOf(b, at('k')), 1)
}

async function grantsOne({ a, b }: StorePair): Promise<void> {
  assert.equal((await a.claim(at('k'), claim(11))).kind, 'granted')
  const reply = await b.claim(at('k'), claim(22))
  assert.equal(reply.kind, 'held')
  if (reply.kind !== 'held') return
  assert.equal(reply.holder, 11)
  assert.ok(reply.remainingMs > 0 && reply.remainingMs <= LEASE_MS)
}

async function claimsTwice({ a }: StorePair): Promise<void> {
  assert.equal((await a.claim(at('k'), claim(11))).kind, 'granted')
  assert.equal((await a.claim(at('k'), claim(11))).kind, 'granted')
  assert.equal((await a.fill(at('k'), 11, entry(1), HOUR_MS)).stored, true)
}

async function answersFilled({ a, b }: StorePair): Promise<void> {
  await a.claim(at('k'), claim(11))
  await a.fill(at('k'), 11, entry(1), HOUR_MS)
  const reply = await b.claim(at('k'), claim(22))
  assert.equal(reply.kind, 'filled')
  if (reply.kind === 'filled') assert.equal(decodeHeader(reply.bytes)?.commit, 1)
  assert.equal((await b.claim(at('k'), claim(22, 1))).kind, 'granted')
}

async function keepsStale({ a, b }: StorePair): Promise<void> {
  await a.put(at('k'), put(entry(1)))
  await a.claim(at('k'), claim(11, 1))
  assert.equal(await commitOf(b, at('k')), 1)
  assert.equal((await b.claim(at('k'), claim(22, 1))).kind, 'held')
  await a.fill(at('k'), 11, entry(2), HOUR_MS)
  assert.equal(await commitOf(b, at('k')), 2)
}

async function overtakes({ a, b }: StorePair): Promise<void> {
  await a.claim(at('k'), claim(11))
  assert.equal((await b.claim(at('k'), claim(22, 0, 99))).kind, 'held')
  assert.equal((await b.claim(at('k'), claim(22, 0, 11))).kind, 'granted')
  assert.equal((await a.fill(at('k'), 11, entry(1), HOUR_MS)).stored, false)
  assert.equal((await b.fill(at('k'), 22, entry(2), HOUR_MS)).stored, true)
  assert.equal(await commitOf(a, at('k')), 2)
}

async function refusesAfterEvict({ a, b }: StorePair): Promise<void> {
  await a.claim(at('k'), claim(11))
  await b.evict([at('k')], { soft: false, settleMs: 0 })
  assert.equal((await a.fill(at('k'), 11, entry(1), HOUR_MS)).stored, false)
  assert.equal(await commitOf(b, at('k')), undefined)
}

async function refusesAfterPut({ a, b }: StorePair): Promise<void> {
  await a.claim(at('k'), claim(11))
  await b.put(at('k'), put(entry(2)))
  assert.equal((await a.fill(at('k'), 11, entry(1), HOUR_MS)).stored, false)
  assert.equal(await commitOf(a, at('k')), 2)
}

async function releases({ a, b }: StorePair): Promise<void> {
  await a.claim(at('k'), claim(11))
  await b.release(at('k'), 22)
  assert.equal((await b.claim(at('k'), claim(22))).kind, 'held')
  await a.release(at('k'), 11)
  assert.equal((await b.claim(at('k'), claim(22))).kind, 'granted')
}

async function renews({ a, b }: StorePair): Promise<void> {
  await a.claim(at('k'), claim(11))
  assert.equal(await a.renew(at('k'), 11, LEASE_MS), true)
  assert.equal(await b.renew(at('k'), 22, LEASE_MS), false)
  assert.equal(await b.renew(at('none'), 22, LEASE_MS), false)
}

async function softens({ a, b }: StorePair): Promise<void> {
  await a.put(at('k'), put(entry(1)))
  await b.evict([at('k')], { soft: true, settleMs: 0 })
  const [bytes] = await a.read([at('k')])
  const header = decodeHeader(bytes ?? Buffer.alloc(0))
  assert.equal(header?.commit, 1)
  assert.equal((header?.flags ?? 0) & FLAG.stale, FLAG.stale)
  assert.equal((await a.claim(at('k'), claim(11))).kind, 'granted')
}

async function settles({ a, b }: StorePair): Promise<void> {
  const settleMs = 60_000
  await b.evict([at('k')], { soft: false, settleMs })
  assert.equal(await commitOf(a, at('k')), undefined)
  assert.equal((await a.claim(at('k'), claim(11))).kind, 'granted')
  const reply = await a.fill(at('k'), 11, entry(1), HOUR_MS)
  assert.ok(reply.stored && reply.livesMs > 0 && reply.livesMs <= settleMs)
  const [bytes] = await b.read([at('k')])
  assert.ok((decodeHeader(bytes ?? Buffer.alloc(0))?.livesForMs ?? HOUR_MS) <= settleMs)
}

async function numbersChanges({ a, b }: StorePair): Promise<void> {
  const start = (await a.sync([7])).heads[0] ?? 0
  const [first] = await a.evict([at('k1'), at('k2')], { soft: false, settleMs: 0 })
  const second = await b.put(at('k3'), put(entry(1)))
  assert.equal(first?.previous, start)
  assert.equal(second.previous, first?.seq)
  assert.ok(second.seq > (first?.seq ?? 0))
  assert.equal((await b.sync([7])).heads[0], second.seq)
  const all = await b.changesSince(7, start)
  assert.equal(all.kind, 'delta')
  if (all.kind === 'delta') assert.deepEqual([...all.keys].sort(), ['k1', 'k2', 'k3'])
  assert.deepEqual(await b.changesSince(7, second.seq), {
    kind: 'delta',
    seq: second.seq,
    keys: [],
  })
}

async function unknownHistory({ a }: StorePair): Promise<void> {
  const seq = (await a.sync([7])).heads[0] ?? 0
  assert.equal((await a.changesSince(7, seq - 5)).kind, 'unknown')
  await a.evict([at('k')], { soft: false, settleMs: 0 })
  assert.equal((await a.changesSince(7, seq + 1_000_000_000)).kind, 'unknown')
}

async function putsSince({ a, b }: StorePair): Promise<void> {
  const since = (await a.sync([7])).heads[0] ?? 0
  await b.evict([at('other')], { soft: false, settleMs: 0 })
  assert.equal((await a.put(at('k'), put(entry(1), since))).stored, true)
  await b.evict([at('k')], { soft: false, settleMs: 0 })
  assert.equal((await a.put(at('k'), put(entry(2), since))).stored, false)
  assert.equal(await commitOf(b, at('k')), undefined)
}

async function mintsTags({ a, b }: StorePair): Promise<void> {
  const first = await a.bumpTags(['t'], 0, HOUR_MS)
  const second = await b.bumpTags(['u'], first.version, HOUR_MS)
  const ahead = second.version + 1_000_000_000
  const third = await a.bumpTags(['v'], ahead, HOUR_MS)
  assert.ok(first.version > first.previous)
  assert.equal(second.previous, first.version)
  assert.ok(second.version > first.version)
  assert.ok(third.version > ahead)
  assert.equal((await b.sync([])).tags?.version, third.version)
}

async function listsTags({ a, b }: StorePair): Promise<void> {
  const start = (await a.sync([])).tags?.version ?? 0
  const { version } = await a.bumpTags(['t', 'ü:*'], start, HOUR_MS)
  const changes = await b.tagsSince(start)
  assert.deepEqual(
    new Map(changes.tags),
    new Map([
      ['t', version],
      ['ü:*', version],
    ]),
  )
  assert.deepEqual((await b.tagsSince(version)).tags, [])
  await b.restoreTags([['lost', version + 10]], version + 20)
  const restored = await a.tagsSince(version)
  assert.deepEqual(restored.tags, [['lost', version + 10]])
  assert.equal(restored.version, version + 20)
}

async function prunesTags({ a }: StorePair): Promise<void> {
  const first = await a.bumpTags(['old'], 0, 1)
  // Two hours ahead in the store's units, which is far beyond the retention of 1 ms.
  const second = await a.bumpTags(['new'], first.version + 7_200_000_000, 1)
  assert.ok(second.floor >= first.version)
  const names = (await a.tagsSince(0)).tags.map(([name]) => name)
  assert.ok(!names.includes('old'))
}

/** Collects what a store's bus delivers, once its subscription stands. */
async function listen(store: RemoteStore): Promise<BusMessage[]> {
  const heard: BusMessage[] = []
  await new Promise<void>((resolve) => {
    store.bus?.subscribe(NAMESPACE, {
      onMessage: (message) => heard.push(message),
      onUp: resolve,
      onDoubt: () => undefined,
      onDown: () => undefined,
      onGarbage: () => undefined,
    })
  })
  return heard
}

/** The namespace that the pair must be opened with. */
export const NAMESPACE = 'conformance'

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + WITHIN_MS
  while (!condition()) {
    assert.ok(performance.now() < end, `waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

async function publishes({ a, b }: StorePair): Promise<void> {
  const heard = await listen(b)
  const [evicted] = await a.evict([at('k1'), at('k2')], { soft: false, settleMs: 0 })
  const bumped = await a.bumpTags(['t'], 0, HOUR_MS)
  await until('both messages are there', () => heard.length >= 2)
  const keys = heard.find((message) => message.kind === 'keys')
  const tags = heard.find((message) => message.kind === 'tags')
  assert.deepEqual(keys, {
    kind: 'keys',
    partition: 7,
    previous: evicted?.previous,
    seq: evicted?.seq,
    keys: ['k1', 'k2'],
  })
  assert.deepEqual(tags, { kind: 'tags', ...bumped, tags: ['t'] })
}

async function wakes({ a, b }: StorePair): Promise<void> {
  const heard = await listen(b)
  const wakeUps = (): readonly string[] =>
    heard.flatMap((message) => (message.kind === 'wake' ? [message.key] : []))
  await a.claim(at('quiet'), claim(11))
  await a.fill(at('quiet'), 11, entry(1), HOUR_MS)
  await a.claim(at('filled'), claim(11))
  await b.claim(at('filled'), claim(22))
  await a.fill(at('filled'), 11, entry(1), HOUR_MS)
  await a.claim(at('released'), claim(11))
  await b.claim(at('released'), claim(22))
  await a.release(at('released'), 11)
  await until('both waiters are woken', () => wakeUps().length >= 2)
  assert.deepEqual(wakeUps(), ['filled', 'released'])
}

async function scans({ a, b }: StorePair): Promise<void> {
  const keys = ['c:*[x]', 'c:ü', 'c:plain', 'd:other']
  for (const key of keys) await a.put(at(key), put(entry(1)))
  const found = new Set<string>()
  for await (const chunk of b.scan('c:')) for (const key of chunk) found.add(key)
  assert.deepEqual([...found].sort(), ['c:*[x]', 'c:plain', 'c:ü'].sort())
  const special = new Set<string>()
  for await (const chunk of b.scan('c:*')) for (const key of chunk) special.add(key)
  assert.deepEqual([...special], ['c:*[x]'])
}
