/** Reading, keeping and forgetting entries. */

import assert from 'node:assert/strict'
import { decodeEntry, decodeHeader } from '../../../entry/envelope.ts'
import { assertPayload, at, HARD, type RemoteCase } from './remote-case.ts'

const AWKWARD_KEYS = [
  'plain',
  'with:colons::',
  '{braces}',
  'glob *?[a-z]\\',
  'line\nbreak and \u0000',
  'ünïcödé ☃ 🦊',
  '__proto__',
  'x'.repeat(400),
]

export const READING: readonly RemoteCase[] = [
  {
    name: 'finds nothing where nothing is',
    async run({ a }) {
      assert.deepEqual([...(await a.read([at('x'), at('y', 4)]))], [undefined, undefined])
      assert.deepEqual([...(await a.readHeaders([at('x')]))], [undefined])
    },
  },
  {
    name: 'hands every node what was put, in the order asked, with gaps',
    async run(stage) {
      const one = await stage.put(at('one', 1))
      const two = await stage.put(at('two', 2))
      for (const store of [stage.a, stage.b]) {
        const [first, gap, second] = await store.read([at('two', 2), at('none', 1), at('one', 1)])
        assert(first !== undefined && second !== undefined)
        assertPayload(decodeEntry(first), two)
        assert.equal(gap, undefined)
        assertPayload(decodeEntry(second), one)
      }
    },
  },
  {
    name: 'reads many entries at once',
    async run(stage) {
      const addresses = Array.from({ length: 1_200 }, (_, i) => at(`many-${i}`, i % 64))
      const written = addresses.filter((_, i) => i % 100 === 0)
      for (const address of written) await stage.put(address)
      const found = await stage.b.read(addresses)
      assert.equal(found.length, addresses.length)
      for (const [i, bytes] of found.entries()) assert.equal(bytes !== undefined, i % 100 === 0)
    },
  },
  {
    name: 'reads at least the header',
    async run(stage) {
      const address = at('header')
      const bytes = await stage.put(address, { tags: ['t'], payload: Buffer.alloc(5_000, 1) })
      const [head, nothing] = await stage.b.readHeaders([address, at('none')])
      assert(head !== undefined)
      assert.equal(decodeHeader(head)?.commit, decodeHeader(bytes)?.commit)
      assert.equal(nothing, undefined)
    },
  },
  {
    name: 'keeps any bytes as they are',
    async run(stage) {
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      const payloads = [Buffer.alloc(0), everyByte, Buffer.alloc(300_000, 0xca)]
      for (const payload of payloads) {
        const address = at(`bytes-${payload.length}`)
        await stage.put(address, { payload, tags: ['a', 'ü'] })
        const stored = await stage.value(stage.b, address)
        assert.deepEqual(stored?.tags, ['a', 'ü'])
        assert(payload.equals(stored.payload), `${payload.length} bytes came back changed`)
      }
    },
  },
  {
    name: 'takes any text for a key, and keeps keys and partitions apart',
    async run(stage) {
      for (const key of AWKWARD_KEYS) {
        const bytes = await stage.put(at(key))
        assertPayload(await stage.value(stage.b, at(key)), bytes)
        assert.equal(await stage.value(stage.b, at(`${key}.`)), undefined)
      }
    },
  },
  {
    name: 'does not share memory with its callers',
    async run(stage) {
      const address = at('aliased')
      const bytes = stage.entry({ payload: Buffer.from('kept') })
      const writing = stage.a.put(address, { bytes, livesMs: 60_000, since: 0 })
      await writing
      bytes.fill(0)
      const [first] = await stage.a.read([address])
      first?.fill(0)
      const stored = await stage.value(stage.a, address)
      assert.equal(Buffer.from(stored?.payload ?? []).toString(), 'kept')
    },
  },
  {
    name: "stamps an entry's creation by its own clock",
    async run(stage) {
      const before = await stage.a.sync([])
      await stage.put(at('stamped'))
      const after = await stage.a.sync([])
      const createdAt = (await stage.value(stage.b, at('stamped')))?.createdAt ?? 0
      assert(before.nowMs <= createdAt && createdAt <= after.nowMs)
    },
  },
  {
    name: 'forgets an entry when its life is over',
    async run(stage) {
      const address = at('short')
      await stage.put(address, { livesForMs: 60 })
      await stage.until('the entry is gone', async () => {
        return (await stage.value(stage.b, address)) === undefined
      })
    },
  },
  {
    name: 'keeps namespaces apart, also when one begins with the other',
    isApart: true,
    async run(stage) {
      const address = at('apart')
      await stage.put(address)
      assert.equal(await stage.value(stage.b, address), undefined)
      await stage.b.evict([address], HARD)
      assert((await stage.value(stage.a, address)) !== undefined)
    },
  },
]
