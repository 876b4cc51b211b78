/** Claims, fills, renewals and releases: who may load, and who may store what was loaded. */

import assert from 'node:assert/strict'
import type { RemoteStore } from '../../../contracts/remote-store.ts'
import { decodeHeader } from '../../../entry/envelope.ts'
import {
  assertPayload,
  at,
  HARD,
  HOUR_MS,
  LEASE_MS,
  type RemoteCase,
  type RemoteStage,
} from './remote-case.ts'

const LEASES = ['leases'] as const

export const CLAIMS: readonly RemoteCase[] = [
  {
    name: 'grants a claim on nothing, and stores what is filled under it',
    async run(stage) {
      const address = at('loaded')
      const token = await stage.lease(stage.a, address)
      const bytes = stage.entry()
      const reply = await stage.a.fill(address, token, bytes, HOUR_MS)
      assert.equal(reply.stored, true)
      assert.equal(reply.livesMs, HOUR_MS)
      const stored = await stage.value(stage.b, address)
      assertPayload(stored, bytes)
      assert.equal(stored?.leaseToken, 0)
      assert.equal(stored.createdAt > 0, true)
    },
  },
  {
    name: 'tells a second claimant who holds the lease, and for how long',
    needs: LEASES,
    async run(stage) {
      const token = await stage.lease(stage.a, at('held'))
      const reply = await stage.claim(stage.b, at('held'))
      assert(reply.kind === 'held')
      assert.equal(reply.holder, token)
      assert(reply.remainingMs > 0 && reply.remainingMs <= LEASE_MS)
    },
  },
  {
    name: 'grants one of many claims made at once on two nodes',
    needs: LEASES,
    async run(stage) {
      const stores = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? stage.a : stage.b))
      const replies = await Promise.all(stores.map((store) => stage.claim(store, at('rush'))))
      assert.equal(replies.filter(({ kind }) => kind === 'granted').length, 1)
      assert.equal(replies.filter(({ kind }) => kind === 'held').length, 29)
    },
  },
  {
    name: 'grants a claim again to the one who holds the lease',
    needs: LEASES,
    async run(stage) {
      const token = await stage.lease(stage.a, at('again'))
      assert.equal((await stage.claim(stage.a, at('again'), token)).kind, 'granted')
    },
  },
  {
    name: 'shows no value where there is only a lease',
    async run(stage) {
      await stage.lease(stage.a, at('pending'))
      assert.equal(await stage.value(stage.b, at('pending')), undefined)
    },
  },
  {
    name: 'keeps a value readable while somebody holds a lease to replace it',
    async run(stage) {
      const address = at('refreshed')
      const bytes = await stage.put(address)
      const reply = await refresh(stage, stage.a, at('refreshed'), bytes)
      assert.equal(reply.kind, 'granted')
      assertPayload(await stage.value(stage.b, address), bytes)
    },
  },
  {
    name: 'hands over what somebody filled meanwhile',
    needs: LEASES,
    async run(stage) {
      const bytes = await stage.put(at('meanwhile'), { commit: 77 })
      const reply = await stage.b.claim(at('meanwhile'), {
        token: stage.token(),
        leaseMs: LEASE_MS,
        seen: 76,
        overtake: 0,
      })
      assert(reply.kind === 'filled')
      assert.equal(decodeHeader(reply.bytes)?.commit, decodeHeader(bytes)?.commit)
    },
  },
  {
    name: 'grants a claim on an entry that is fresh no more, whatever the claimant saw',
    async run(stage) {
      await stage.put(at('overdue'), { freshForMs: 1, livesForMs: HOUR_MS })
      await stage.until('the entry is stale', async () => {
        return (await stage.claim(stage.b, at('overdue'))).kind === 'granted'
      })
    },
  },
  {
    name: 'grants a claim when the lease has run out',
    needs: LEASES,
    async run(stage) {
      await claimFor(stage, stage.a, at('deserted'), 40)
      await stage.until('the lease runs out', async () => {
        return (await stage.claim(stage.b, at('deserted'))).kind === 'granted'
      })
    },
  },
  {
    name: 'lets a claimant overtake the holder it names, and only that one',
    needs: LEASES,
    async run(stage) {
      const address = at('stuck')
      const holder = await stage.lease(stage.a, address)
      const request = { leaseMs: LEASE_MS, seen: 0 }
      const token = stage.token()
      const wrong = await stage.b.claim(address, { ...request, token, overtake: holder + 1 })
      assert.equal(wrong.kind, 'held')
      const right = await stage.b.claim(address, { ...request, token, overtake: holder })
      assert.equal(right.kind, 'granted')
      assert.equal((await stage.a.fill(address, holder, stage.entry(), HOUR_MS)).stored, false)
      assert.equal((await stage.b.fill(address, token, stage.entry(), HOUR_MS)).stored, true)
    },
  },
]

export const FILLS: readonly RemoteCase[] = [
  {
    name: 'refuses a fill without a lease, or with the token of somebody else',
    needs: LEASES,
    async run(stage) {
      await assertRefused(stage, 'none', async () => undefined, false)
      await assertRefused(
        stage,
        'other',
        async (key) => void (await stage.lease(stage.b, at(key))),
        false,
      )
    },
  },
  {
    name: 'refuses a fill after an evict, soft or hard, with and without a settle window',
    needs: LEASES,
    async run(stage) {
      await assertRefused(stage, 'hard', (key) => stage.b.evict([at(key)], HARD))
      await assertRefused(stage, 'soft', (key) => stage.b.evict([at(key)], { ...HARD, soft: true }))
      await assertRefused(stage, 'settle', (key) =>
        stage.b.evict([at(key)], { soft: false, settleMs: 5_000 }),
      )
    },
  },
  {
    name: 'refuses a fill after a put, and keeps what was put',
    needs: LEASES,
    async run(stage) {
      const token = await stage.lease(stage.a, at('put'))
      const bytes = await stage.put(at('put'))
      assert.equal((await stage.b.fill(at('put'), token, stage.entry(), HOUR_MS)).stored, false)
      assertPayload(await stage.value(stage.b, at('put')), bytes)
    },
  },
  {
    name: 'refuses a fill after its lease was released',
    needs: LEASES,
    async run(stage) {
      const token = await stage.lease(stage.a, at('released'))
      await stage.a.release(at('released'), token)
      assert.equal(
        (await stage.a.fill(at('released'), token, stage.entry(), HOUR_MS)).stored,
        false,
      )
    },
  },
  {
    name: 'refuses a second fill under one lease',
    needs: LEASES,
    async run(stage) {
      const token = await stage.lease(stage.a, at('twice'))
      const bytes = stage.entry()
      assert.equal((await stage.a.fill(at('twice'), token, bytes, HOUR_MS)).stored, true)
      assert.equal((await stage.a.fill(at('twice'), token, stage.entry(), HOUR_MS)).stored, false)
      assertPayload(await stage.value(stage.b, at('twice')), bytes)
    },
  },
  {
    name: 'lets the next one load after a release, and keeps a value that was there',
    async run(stage) {
      const token = await stage.lease(stage.a, at('given-up'))
      await stage.a.release(at('given-up'), token)
      assert.equal((await stage.claim(stage.b, at('given-up'))).kind, 'granted')

      const bytes = await stage.put(at('kept'))
      const reply = await refresh(stage, stage.a, at('kept'), bytes)
      assert.equal(reply.kind, 'granted')
      await stage.a.release(at('kept'), reply.token)
      assertPayload(await stage.value(stage.b, at('kept')), bytes)
    },
  },
  {
    name: 'takes a release of a lease that is not held for nothing',
    async run(stage) {
      const token = await stage.lease(stage.a, at('mine'))
      await stage.b.release(at('mine'), token + 1)
      await stage.b.release(at('nothing'), token)
      assert.equal((await stage.a.fill(at('mine'), token, stage.entry(), HOUR_MS)).stored, true)
    },
  },
  {
    name: 'extends a lease for its holder only',
    needs: LEASES,
    async run(stage) {
      const address = at('renewed')
      const token = await claimFor(stage, stage.a, address, 20_000)
      assert.equal(await stage.b.renew(address, token + 1, LEASE_MS), false)
      assert.equal(await stage.a.renew(address, token, LEASE_MS), true)
      const reply = await stage.claim(stage.b, address)
      assert(reply.kind === 'held' && reply.remainingMs > 20_000)
      await stage.b.evict([address], HARD)
      assert.equal(await stage.a.renew(address, token, LEASE_MS), false)
    },
  },
  {
    name: 'keeps a lease alive by renewals past its first length',
    needs: LEASES,
    async run(stage) {
      const address = at('long-load')
      const token = await claimFor(stage, stage.a, address, 200)
      assert.equal(await stage.a.renew(address, token, LEASE_MS), true)
      const start = (await stage.a.sync([])).nowMs
      await stage.until('the first length is over', async () => {
        return (await stage.a.sync([])).nowMs > start + 250
      })
      assert.equal((await stage.claim(stage.b, address)).kind, 'held')
      assert.equal((await stage.a.fill(address, token, stage.entry(), HOUR_MS)).stored, true)
    },
  },
]

/** Claims a lease of a given length. */
async function claimFor(
  stage: RemoteStage,
  store: RemoteStore,
  address: ReturnType<typeof at>,
  leaseMs: number,
): Promise<number> {
  const token = stage.token()
  const reply = await store.claim(address, { token, leaseMs, seen: 0, overtake: 0 })
  assert.equal(reply.kind, 'granted')
  return token
}

/** Claims an entry that was read and could not be used. */
async function refresh(
  stage: RemoteStage,
  store: RemoteStore,
  address: ReturnType<typeof at>,
  bytes: Buffer,
): Promise<{ readonly kind: string; readonly token: number }> {
  const token = stage.token()
  const seen = decodeHeader(bytes)?.commit ?? 0
  const { kind } = await store.claim(address, { token, leaseMs: LEASE_MS, seen, overtake: 0 })
  return { kind, token }
}

/** Asserts that a load under way when `change` happens can no longer be stored. */
async function assertRefused(
  stage: RemoteStage,
  key: string,
  change: (key: string) => Promise<unknown>,
  isClaimed = true,
): Promise<void> {
  const token = isClaimed ? await stage.lease(stage.a, at(key)) : stage.token()
  await change(key)
  const reply = await stage.a.fill(at(key), token, stage.entry(), HOUR_MS)
  assert.equal(reply.stored, false, `the fill of ${key} was stored`)
  assert.equal(await stage.value(stage.b, at(key)), undefined)
}
