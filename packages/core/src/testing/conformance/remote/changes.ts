/** Puts and evicts. */

import assert from 'node:assert/strict'
import { decodeHeader, FLAG } from '../../../entry/envelope.ts'
import { assertPayload, at, HARD, HOUR_MS, type RemoteCase } from './remote-case.ts'

export const MUTATIONS: readonly RemoteCase[] = [
  {
    name: 'replaces what is there by a put',
    async run(stage) {
      await stage.put(at('put'))
      const bytes = await stage.put(at('put'))
      assertPayload(await stage.value(stage.b, at('put')), bytes)
    },
  },
  {
    name: 'evicts a key for every node',
    async run(stage) {
      await stage.put(at('gone'))
      await stage.put(at('stays'))
      await stage.b.evict([at('gone')], HARD)
      assert.equal(await stage.value(stage.a, at('gone')), undefined)
      assert((await stage.value(stage.a, at('stays'))) !== undefined)
    },
  },
  {
    name: 'evicts many keys of many partitions, and answers for each partition',
    async run(stage) {
      const addresses = Array.from({ length: 1_300 }, (_, i) =>
        at(`many-${i}`, i % 2 === 0 ? 0 : i % 40),
      )
      const written = addresses.filter((_, i) => i % 60 === 0)
      for (const address of written) await stage.put(address)
      const replies = await stage.a.evict(addresses, HARD)
      const touched = new Set(addresses.map(({ partition }) => partition))
      assert.deepEqual(new Set(replies.map(({ partition }) => partition)), touched)
      assert((await stage.b.read(written)).every((bytes) => bytes === undefined))
    },
  },
  {
    name: 'takes an evict of what is not there for nothing special',
    async run(stage) {
      assert.equal((await stage.a.evict([at('none')], HARD)).length, 1)
      assert.equal((await stage.a.evict([at('none')], { ...HARD, soft: true })).length, 1)
      assert.deepEqual([...(await stage.a.evict([], HARD))], [])
    },
  },
  {
    name: 'softens: keeps the bytes, marked stale, and lets the next one load',
    async run(stage) {
      const bytes = await stage.put(at('soft'))
      await stage.b.evict([at('soft')], { soft: true, settleMs: 0 })
      const stored = await stage.value(stage.a, at('soft'))
      assertPayload(stored, bytes)
      assert.notEqual((stored?.flags ?? 0) & FLAG.stale, 0)
      assert.equal((await stage.claim(stage.a, at('soft'))).kind, 'granted')
    },
  },
  {
    name: 'limits fills in a settle window to that window',
    async run(stage) {
      await stage.put(at('settling'))
      await stage.a.evict([at('settling')], { soft: false, settleMs: 30_000 })
      assert.equal(await stage.value(stage.b, at('settling')), undefined)
      const token = await stage.lease(stage.b, at('settling'))
      const reply = await stage.b.fill(at('settling'), token, stage.entry(), HOUR_MS)
      assert(reply.stored && reply.livesMs > 0 && reply.livesMs <= 30_000)
      const stored = await stage.value(stage.a, at('settling'))
      assert(stored !== undefined && stored.livesForMs <= 30_000)
      assert(stored.freshForMs <= 30_000 && stored.staleForMs <= 30_000)
    },
  },
  {
    name: 'keeps nothing longer in a settle window than it would outside',
    async run(stage) {
      await stage.a.evict([at('brief')], { soft: false, settleMs: 30_000 })
      const token = await stage.lease(stage.a, at('brief'))
      const bytes = stage.entry({ freshForMs: 500, livesForMs: 10_000 })
      const reply = await stage.a.fill(at('brief'), token, bytes, 10_000)
      assert.equal(reply.livesMs, 10_000)
      const header = decodeHeader((await stage.a.readHeaders([at('brief')]))[0] ?? Buffer.alloc(0))
      assert.equal(header?.freshForMs, 500)
      assert.equal(header.livesForMs, 10_000)
    },
  },
  {
    name: 'limits every fill in a settle window, not only the first',
    async run(stage) {
      const address = at('twice')
      await stage.a.evict([address], { soft: false, settleMs: 30_000 })
      const first = await stage.lease(stage.a, address)
      const bytes = stage.entry()
      await stage.a.fill(address, first, bytes, HOUR_MS)
      const token = stage.token()
      const seen = decodeHeader(bytes)?.commit ?? 0
      await stage.b.claim(address, { token, leaseMs: 10_000, seen, overtake: 0 })
      const reply = await stage.b.fill(address, token, stage.entry(), HOUR_MS)
      assert(reply.stored && reply.livesMs <= 30_000)
    },
  },
  {
    name: 'keeps a settle window through later evicts that ask for a shorter one or none',
    async run(stage) {
      const others = [HARD, { soft: true, settleMs: 0 }, { soft: false, settleMs: 10 }]
      for (const [i, request] of others.entries()) {
        const address = at(`window-${i}`)
        await stage.a.evict([address], { soft: false, settleMs: 30_000 })
        await stage.b.evict([address], request)
        const { nowMs } = await stage.a.sync([])
        await stage.until('the short window is over', async () => {
          return (await stage.a.sync([])).nowMs > nowMs + 20
        })
        const token = await stage.lease(stage.b, address)
        const reply = await stage.b.fill(address, token, stage.entry(), HOUR_MS)
        assert(reply.stored && reply.livesMs <= 30_000, `${reply.livesMs} ms after ${i}`)
      }
    },
  },
  {
    name: 'limits fills after a soft evict with a window as after a hard one, and keeps the bytes',
    async run(stage) {
      for (const livesForMs of [HOUR_MS, 20_000]) {
        const address = at(`soft-window-${livesForMs}`)
        const bytes = await stage.put(address, { livesForMs, freshForMs: 10 })
        await stage.a.evict([address], { soft: true, settleMs: 30_000 })
        assertPayload(await stage.value(stage.b, address), bytes)
        const token = await stage.lease(stage.b, address)
        const reply = await stage.b.fill(address, token, stage.entry(), HOUR_MS)
        assert(reply.stored && reply.livesMs <= 30_000, `${reply.livesMs} ms`)
        await stage.a.evict([address], { soft: true, settleMs: 0 })
        const next = await stage.lease(stage.a, address)
        const again = await stage.a.fill(address, next, stage.entry(), HOUR_MS)
        assert(again.stored && again.livesMs <= 30_000, `then ${again.livesMs} ms`)
      }
    },
  },
  {
    name: 'ends a settle window by a put',
    async run(stage) {
      await stage.a.evict([at('told')], { soft: true, settleMs: 30_000 })
      await stage.put(at('told'), { freshForMs: 0 })
      await stage.a.evict([at('told')], HARD)
      const token = await stage.lease(stage.a, at('told'))
      const reply = await stage.a.fill(at('told'), token, stage.entry(), HOUR_MS)
      assert.deepEqual([reply.stored, reply.livesMs], [true, HOUR_MS])
    },
  },
  {
    name: 'stops limiting fills when the settle window is over',
    async run(stage) {
      await stage.a.evict([at('settled')], { soft: false, settleMs: 30 })
      const { nowMs } = await stage.a.sync([])
      await stage.until('the window is over', async () => {
        return (await stage.a.sync([])).nowMs > nowMs + 60
      })
      const token = await stage.lease(stage.a, at('settled'))
      const reply = await stage.a.fill(at('settled'), token, stage.entry(), HOUR_MS)
      assert.deepEqual([reply.stored, reply.livesMs], [true, HOUR_MS])
    },
  },
]
