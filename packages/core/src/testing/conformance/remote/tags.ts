/** The tag clock: what was invalidated, and when, in an order the store decides. */

import assert from 'node:assert/strict'
import type { TagChanges } from '../../../contracts/remote-store.ts'
import { HOUR_MS, type RemoteCase } from './remote-case.ts'

const TAGS = ['tags'] as const

export const TAG_CASES: readonly RemoteCase[] = [
  {
    name: 'has a tag clock from the start, the same for every node',
    async run({ a, b }) {
      const { tags } = await a.sync([])
      assert(tags !== undefined)
      assert(Number.isSafeInteger(tags.version) && tags.version > 0)
      assert(tags.floor > 0 && tags.floor <= tags.version)
      assert.deepEqual((await b.sync([])).tags, tags)
      assert.deepEqual(await b.tagsSince(tags.version), { ...tags, tags: [] })
    },
  },
  {
    name: 'mints one higher version for all tags of a call',
    async run(stage) {
      const start = await stage.tagVersion(stage.a)
      const bump = await stage.a.bumpTags(['x', 'ü ☃'], start, HOUR_MS)
      assert.equal(bump.previous, start)
      assert(bump.version > start && Number.isSafeInteger(bump.version))
      assert(bump.floor <= start)
      assert.equal(await stage.tagVersion(stage.b), bump.version)
      const changes = await stage.b.tagsSince(start)
      assert.equal(changes.version, bump.version)
      assert.deepEqual(versionsIn(changes), { x: bump.version, 'ü ☃': bump.version })
    },
  },
  {
    name: 'lists only what was invalidated after the version asked for',
    async run({ a, b }) {
      const first = await a.bumpTags(['x', 'y'], 0, HOUR_MS)
      const second = await b.bumpTags(['y', 'z'], 0, HOUR_MS)
      assert(second.version > first.version && second.previous === first.version)
      assert.deepEqual(versionsIn(await a.tagsSince(0)), {
        x: first.version,
        y: second.version,
        z: second.version,
      })
      assert.deepEqual(versionsIn(await a.tagsSince(first.version)), {
        y: second.version,
        z: second.version,
      })
      assert.deepEqual([...(await a.tagsSince(second.version)).tags], [])
    },
  },
  {
    name: 'mints above what the caller has seen, even if the store has forgotten it',
    async run(stage) {
      const known = (await stage.tagVersion(stage.a)) + 1_000_000_000
      assert((await stage.a.bumpTags(['x'], known, HOUR_MS)).version > known)
    },
  },
  {
    name: 'mints by steps that differ while its clock is behind, not to give the versions of a lost history again',
    async run(stage) {
      const { a, b } = stage
      // A node that knows of a clock that was ahead: the store's own is behind from now on.
      const known = (await stage.tagVersion(a)) + 1_000_000_000
      let last = (await a.bumpTags(['x'], known, HOUR_MS)).version
      const steps = new Set<number>()
      for (const store of [a, b, a, b, a, b, a, b]) {
        const { version, previous } = await store.bumpTags(['x'], 0, HOUR_MS)
        assert(version > last && previous === last)
        steps.add(version - last)
        last = version
      }
      assert(steps.size > 1, `every version was ${[...steps].join()} above the last`)
    },
  },
  {
    name: 'gives every one of many invalidations made at once its own version, and loses none',
    needs: TAGS,
    async run({ a, b }) {
      const names = Array.from({ length: 40 }, (_, i) => `t${i}`)
      const bumps = await Promise.all(
        names.map((name, i) => (i % 2 === 0 ? a : b).bumpTags([name], 0, HOUR_MS)),
      )
      assert.equal(new Set(bumps.map(({ version }) => version)).size, 40)
      const known = versionsIn(await a.tagsSince(0))
      for (const [i, name] of names.entries()) assert.equal(known[name], bumps[i]?.version)
    },
  },
  {
    name: 'forgets tags that no entry is old enough to be concerned by, and raises the floor over them',
    async run(stage) {
      const { a } = stage
      const old = await a.bumpTags(['old'], 0, 1)
      await stage.until('the old tag is forgotten', async () => {
        await a.bumpTags(['young'], 0, 1)
        const changes = await a.tagsSince(0)
        const isListed = versionsIn(changes)['old'] !== undefined
        // Never neither: an entry of that tag would come back to life.
        assert(isListed || changes.floor >= old.version)
        return !isListed
      })
    },
  },
  {
    name: 'keeps tags for the longest retention any node asked for',
    async run({ a, b }) {
      const kept = await a.bumpTags(['kept'], 0, HOUR_MS)
      await b.bumpTags(['other'], 0, 1)
      await b.bumpTags(['other'], 0, 1)
      const changes = await a.tagsSince(0)
      assert.equal(versionsIn(changes)['kept'], kept.version)
      assert(changes.floor < kept.version)
    },
  },
]

function versionsIn({ tags }: TagChanges): Record<string, number> {
  return Object.fromEntries(tags)
}
