/** The conformance suite of structure providers: on the provider's own time. */

import assert from 'node:assert/strict'
import type {
  StructurePart,
  StructureProvider,
  StructurePut,
  StructureRule,
} from '../../contracts/structure-provider.ts'
import { type ConformanceCase, PASSED } from './conformance-case.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface StructuresUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly structures: readonly [StructureProvider, StructureProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeStructures = () => StructuresUnderTest | Promise<StructuresUnderTest>

type StructureCase = readonly [
  name: string,
  run: (ends: readonly [StructureProvider, StructureProvider]) => Promise<void>,
]

const HOUR_MS = 3_600_000
const RULE: StructureRule = { structure: 's', ttlMs: HOUR_MS, most: 100, whenFull: 'refuse' }
const ALL: StructurePart = { kind: 'range', from: 'oldest', skip: 0, take: 100 }

const CASES: readonly StructureCase[] = [
  [
    'has nothing at first',
    async ([one]) => {
      const none = { count: 0, leftMs: 0, items: [] }
      assert.deepEqual(await one.read(RULE, 'k', ALL), none)
      assert.deepEqual(await one.read(RULE, 'k', { kind: 'names', names: ['a'] }), none)
      assert.equal(await one.remove(RULE, 'k', ['a']), 0)
      assert.equal(await one.clear(RULE, 'k'), false)
    },
  ],
  [
    'shows both ends the same items, in the order in which they were put',
    async ([one, other]) => {
      const put = await one.put(RULE, 'k', [item('a', '1'), item('b', '2')])
      assert.deepEqual(put, { outcome: 'put', added: 2, dropped: 0 })
      await other.put(RULE, 'k', [item('c', '3')])
      // One that is put again is the newest.
      const again = await other.put(RULE, 'k', [item('a', '4')])
      assert.deepEqual(again, { outcome: 'put', added: 0, dropped: 0 })
      for (const end of [one, other]) {
        assert.deepEqual(await texts(end, ALL), ['b=2', 'c=3', 'a=4'])
        const newest = { kind: 'range', from: 'newest', skip: 1, take: 1 } as const
        assert.deepEqual(await texts(end, newest), ['c=3'])
        const named = { kind: 'names', names: ['c', 'x', 'a'] } as const
        assert.deepEqual(await texts(end, named), ['c=3', 'a=4'])
      }
    },
  ],
  [
    'gives bytes back as they were, and takes any text for names and keys',
    async ([one, other]) => {
      const every = Uint8Array.from({ length: 256 }, (_, i) => i)
      const names = ['a:b', '{x}', 'a\0b', 'ü☃', ' ', '__proto__', 'n'.repeat(1_000)]
      for (const key of ['}', '{', 'k:items', 'ü\n']) {
        await one.put(
          RULE,
          key,
          names.map((name) => ({ name, bytes: every })),
        )
        const { items, count } = await other.read(RULE, key, ALL)
        assert.deepEqual(
          items.map(({ name }) => name),
          names,
        )
        assert.equal(count, names.length)
        for (const { bytes } of items) assert.deepEqual(Uint8Array.from(bytes), every)
      }
      await one.put(RULE, 'empty', [{ name: 'a', bytes: new Uint8Array(0) }])
      assert.equal((await other.read(RULE, 'empty', ALL)).items[0]?.bytes.length, 0)
    },
  ],
  [
    'puts over the version that is expected only, and all items or none',
    async ([one, other]) => {
      const absent = { ...item('a', '1'), expected: 0 }
      assert.equal((await one.put(RULE, 'k', [absent])).outcome, 'put')
      assert.deepEqual(await other.put(RULE, 'k', [item('b', '1'), absent]), {
        outcome: 'conflict',
      })
      const [known] = (await other.read(RULE, 'k', ALL)).items
      const over = { ...item('a', '2'), expected: known?.version ?? 0 }
      assert.equal((await other.put(RULE, 'k', [over])).outcome, 'put')
      assert.deepEqual(await one.put(RULE, 'k', [over]), { outcome: 'conflict' })
      assert.deepEqual(await texts(one, ALL), ['a=2'])
      const [next] = (await one.read(RULE, 'k', ALL)).items
      assert.ok((next?.version ?? 0) > (known?.version ?? 0))
      // What was removed has no version.
      await one.remove(RULE, 'k', ['a'])
      assert.deepEqual(await one.put(RULE, 'k', [over]), { outcome: 'conflict' })
      assert.equal((await one.put(RULE, 'k', [absent])).outcome, 'put')
    },
  ],
  [
    'refuses new items when there is no room, and still replaces',
    async ([one, other]) => {
      const rule: StructureRule = { ...RULE, most: 2 }
      await one.put(rule, 'k', [item('a', '1'), item('b', '1')])
      assert.deepEqual(await other.put(rule, 'k', [item('a', '2'), item('c', '1')]), {
        outcome: 'full',
      })
      assert.deepEqual(await texts(one, ALL), ['a=1', 'b=1'])
      assert.equal((await other.put(rule, 'k', [item('a', '2')])).outcome, 'put')
      assert.equal(await other.remove(rule, 'k', ['b']), 1)
      assert.equal((await one.put(rule, 'k', [item('c', '1')])).outcome, 'put')
    },
  ],
  [
    'drops the oldest for room, also of those that are put at once',
    async ([one, other]) => {
      const rule: StructureRule = { ...RULE, most: 3, whenFull: 'drop' }
      await one.put(rule, 'k', [item('a', '1'), item('b', '1'), item('c', '1')])
      await one.put(rule, 'k', [item('a', '2')])
      const put = await other.put(rule, 'k', [item('d', '1')])
      assert.deepEqual(put, { outcome: 'put', added: 1, dropped: 1 })
      assert.deepEqual(await texts(one, ALL), ['c=1', 'a=2', 'd=1'])
      const many = Array.from({ length: 50 }, (_, i) => item(`n${i}`, '1'))
      assert.deepEqual(await one.put(rule, 'k', many), { outcome: 'put', added: 50, dropped: 50 })
      assert.deepEqual(await texts(other, ALL), ['n47=1', 'n48=1', 'n49=1'])
    },
  ],
  [
    'says how long a structure lives, which each change sets anew',
    async ([one, other]) => {
      await one.put({ ...RULE, ttlMs: 60_000 }, 'k', [item('a', '1'), item('b', '1')])
      assertNear((await other.read(RULE, 'k', ALL)).leftMs, 60_000)
      await other.remove(RULE, 'k', ['a'])
      assertNear((await one.read(RULE, 'k', ALL)).leftMs, HOUR_MS)
      // What removes nothing changes nothing.
      await one.remove({ ...RULE, ttlMs: 60_000 }, 'k', ['x'])
      assertNear((await other.read(RULE, 'k', ALL)).leftMs, HOUR_MS)
    },
  ],
  [
    'ends a structure with all its items',
    async ([one, other]) => {
      await one.put({ ...RULE, ttlMs: 1 }, 'k', [item('a', '1')])
      const until = Date.now() + 10_000
      while ((await other.read(RULE, 'k', ALL)).count > 0) assert.ok(Date.now() < until)
      assert.equal(await one.clear(RULE, 'k'), false)
      assert.equal((await one.put(RULE, 'k', [{ ...item('a', '2'), expected: 0 }])).outcome, 'put')
    },
  ],
  [
    'keeps structures and keys apart, and removes one of them',
    async ([one, other]) => {
      await one.put(RULE, 'k', [item('a', '1')])
      await one.put(RULE, 'k2', [item('a', '2')])
      await one.put({ ...RULE, structure: 's.2' }, 'k', [item('a', '3')])
      assert.equal(await other.clear(RULE, 'k'), true)
      assert.deepEqual(await texts(one, ALL), [])
      assert.equal((await one.read(RULE, 'k2', ALL)).count, 1)
      assert.equal((await one.read({ ...RULE, structure: 's.2' }, 'k', ALL)).count, 1)
    },
  ],
  [
    'gives concurrent puts one order',
    async ([one, other]) => {
      const puts = Array.from({ length: 40 }, (_, i) =>
        (i % 2 === 0 ? one : other).put(RULE, 'k', [item(`n${i}`, '1')]),
      )
      await Promise.all(puts)
      const { items } = await one.read(RULE, 'k', ALL)
      const versions = items.map(({ version }) => version)
      assert.equal(new Set(versions).size, 40)
      assert.deepEqual(
        versions,
        [...versions].sort((a, b) => a - b),
      )
    },
  ],
]

function item(name: string, text: string): StructurePut {
  return { name, bytes: Buffer.from(text) }
}

async function texts(
  end: StructureProvider,
  part: StructurePart,
  key = 'k',
): Promise<readonly string[]> {
  const { items } = await end.read(RULE, key, part)
  return items.map(({ name, bytes }) => `${name}=${Buffer.from(bytes).toString()}`)
}

function assertNear(leftMs: number, wantedMs: number): void {
  assert.ok(leftMs > wantedMs - 50_000 && leftMs <= wantedMs, `${leftMs} of ${wantedMs} ms`)
}

/**
 * Lists what every structure provider must do, each on providers of its own.
 *
 * @example
 * runCases(structureCases(() => ({ structures: [make(), make()], namespace: 'test' })), { test })
 */
export function structureCases(make: MakeStructures): readonly ConformanceCase[] {
  return CASES.map(([name, run]) => ({
    name,
    async run() {
      const { structures, namespace, cleanup } = await make()
      try {
        for (const end of structures) end.open(namespace)
        await run(structures)
        return PASSED
      } finally {
        await Promise.all(structures.map((end) => end.close()))
        await cleanup?.()
      }
    },
  }))
}
