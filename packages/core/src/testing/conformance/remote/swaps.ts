/** Writes that take place only if the entry still is the one that the writer saw. */

import assert from 'node:assert/strict'
import type { EntryAddress, RemoteStore, SwapReply } from '../../../contracts/remote-store.ts'
import { decodeEntry, FLAG, HEADER_BYTES } from '../../../entry/envelope.ts'
import {
  assertPayload,
  at,
  HARD,
  HOUR_MS,
  type RemoteCase,
  type RemoteStage,
} from './remote-case.ts'

const NEEDS = ['sequences', 'swap'] as const

interface Swap {
  readonly bytes: Uint8Array
  readonly seen: number
  readonly since?: number
}

function swap(store: RemoteStore, address: EntryAddress, request: Swap): Promise<SwapReply> {
  assert(store.swap !== undefined)
  return store.swap(address, { livesMs: HOUR_MS, since: 0, ...request })
}

/** Asserts that a swap changes nothing, and that it tells what is there. */
async function assertRefused(
  stage: RemoteStage,
  address: EntryAddress,
  request: Omit<Swap, 'bytes'>,
): Promise<void> {
  const before = (await stage.a.read([address]))[0]
  const head = await stage.head(stage.a, address.partition)
  const reply = await swap(stage.a, address, { ...request, bytes: stage.entry() })
  assert(!reply.stored)
  assert.equal(reply.seq, head)
  assert.equal(await stage.head(stage.a, address.partition), head)
  assert.deepEqual(reply.bytes && Buffer.from(reply.bytes), before && Buffer.from(before))
  const after = (await stage.a.read([address]))[0]
  assert.deepEqual(after && Buffer.from(after), before && Buffer.from(before))
}

export const SWAPS: readonly RemoteCase[] = [
  {
    name: 'swaps the entry that the writer saw, under a number of its own',
    needs: NEEDS,
    async run(stage) {
      await stage.put(at('swap'), { commit: 71 })
      const head = await stage.head(stage.a, 3)
      const bytes = stage.entry({ commit: 72 })
      const reply = await swap(stage.b, at('swap'), { bytes, seen: 71 })
      assert(reply.stored)
      assert.deepEqual([reply.partition, reply.previous], [3, head])
      assert(reply.seq > head)
      assert.equal(await stage.head(stage.a, 3), reply.seq)
      const stored = await stage.value(stage.a, at('swap'))
      assertPayload(stored, bytes)
      assert.equal(stored?.createdAt, reply.nowMs)
      const changes = await stage.a.changesSince(3, head)
      assert.deepEqual(changes.kind === 'delta' && changes.keys, ['c:swap'])
    },
  },
  {
    name: 'refuses a swap of an entry that was replaced, evicted, softened or filled meanwhile',
    needs: NEEDS,
    async run(stage) {
      await stage.put(at('other'), { commit: 71 })
      await stage.put(at('other'), { commit: 73 })
      await assertRefused(stage, at('other'), { seen: 71 })
      await stage.a.evict([at('other')], HARD)
      await assertRefused(stage, at('other'), { seen: 73 })
      await stage.put(at('other'), { commit: 74 })
      await stage.a.evict([at('other')], { ...HARD, soft: true })
      await assertRefused(stage, at('other'), { seen: 74 })
      const token = await stage.lease(stage.a, at('other'))
      await stage.a.fill(at('other'), token, stage.entry({ commit: 75 }), HOUR_MS)
      await assertRefused(stage, at('other'), { seen: 74 })
    },
  },
  {
    name: 'swaps nothing for a value, and ends the load that is under way',
    needs: NEEDS,
    async run(stage) {
      const since = await stage.head(stage.a, 3)
      const token = await stage.lease(stage.b, at('new'))
      await stage.put(at('another'))
      const bytes = stage.entry()
      assert((await swap(stage.a, at('new'), { bytes, seen: 0, since })).stored)
      const filled = await stage.b.fill(at('new'), token, stage.entry(), HOUR_MS)
      assert.equal(filled.stored, false)
      assertPayload(await stage.value(stage.b, at('new')), bytes)
    },
  },
  {
    name: 'refuses to swap nothing for a value after an eviction, or when it cannot tell',
    needs: NEEDS,
    async run(stage) {
      const since = await stage.head(stage.a, 3)
      await stage.a.evict([at('gone')], HARD)
      await assertRefused(stage, at('gone'), { seen: 0, since })
      await assertRefused(stage, at('gone'), { seen: 0, since: 1 })
      const now = await stage.head(stage.a, 3)
      assert(
        (await swap(stage.a, at('gone'), { bytes: stage.entry(), seen: 0, since: now })).stored,
      )
      await assertRefused(stage, at('gone'), { seen: 0, since: await stage.head(stage.a, 3) })
    },
  },
  {
    name: 'swaps what the writer could not use, if nothing has changed it since',
    needs: NEEDS,
    async run(stage) {
      await stage.put(at('soft'), { commit: 71 })
      await stage.a.evict([at('soft')], { ...HARD, soft: true })
      const since = await stage.head(stage.a, 3)
      await stage.a.evict([at('soft')], { ...HARD, soft: true })
      await assertRefused(stage, at('soft'), { seen: 71, since })
      const now = await stage.head(stage.a, 3)
      const bytes = stage.entry()
      assert((await swap(stage.a, at('soft'), { bytes, seen: 71, since: now })).stored)
      const stored = await stage.value(stage.a, at('soft'))
      assert.equal((stored?.flags ?? 0) & FLAG.stale, 0)
    },
  },
  {
    name: 'carries a swap out once, however often it arrives',
    needs: NEEDS,
    async run(stage) {
      await stage.put(at('twice'), { commit: 71 })
      const bytes = stage.entry({ commit: 72, livesForMs: 2 * HOUR_MS })
      const request = { bytes, seen: 71 }
      assert((await swap(stage.a, at('twice'), request)).stored)
      const first = await stage.value(stage.a, at('twice'))
      assert((await swap(stage.a, at('twice'), request)).stored)
      assert.equal((await stage.value(stage.a, at('twice')))?.createdAt, first?.createdAt)
      await stage.put(at('twice'), { commit: 73 })
      await assertRefused(stage, at('twice'), { seen: 71 })
      assert.equal((await swap(stage.a, at('twice'), request)).stored, false)
    },
  },
  {
    name: 'removes the entry that the writer saw when it is given no bytes, and leaves a settle window',
    needs: NEEDS,
    async run(stage) {
      const nothing = new Uint8Array(0)
      await stage.put(at('out'), { commit: 71 })
      assert.equal((await swap(stage.a, at('out'), { bytes: nothing, seen: 72 })).stored, false)
      assert((await swap(stage.a, at('out'), { bytes: nothing, seen: 71 })).stored)
      assert.deepEqual(await stage.b.read([at('out')]), [undefined])
      await stage.a.evict([at('out')], { soft: false, settleMs: 30_000 })
      const since = await stage.head(stage.a, 3)
      assert((await swap(stage.a, at('out'), { bytes: nothing, seen: 0, since })).stored)
      const [left] = await stage.a.read([at('out')])
      assert.equal((left && decodeEntry(left)?.flags) ?? 0, FLAG.empty + FLAG.settling)
      assert.equal(left?.length, HEADER_BYTES)
    },
  },
  {
    name: 'publishes a swap like a put, and nothing of one that is refused',
    needs: [...NEEDS, 'publishes', 'bus'],
    async run(stage) {
      const recorder = await stage.listen(stage.b)
      await stage.put(at('told'), { commit: 71 })
      assert.equal(
        (await swap(stage.a, at('told'), { bytes: stage.entry(), seen: 70 })).stored,
        false,
      )
      const reply = await swap(stage.a, at('told'), { bytes: stage.entry(), seen: 71 })
      assert(reply.stored)
      await stage.until('the message has come', () =>
        recorder.messages.some((message) => message.kind === 'keys' && message.seq === reply.seq),
      )
      const told = recorder.messages.filter((message) => message.kind === 'keys')
      assert.equal(told.length, 2)
    },
  },
]
