/** What do an entry's tags cost when it is read from either tier, and when it is written? */

import { type Contestant, compare } from '../harness.ts'
import { userOf } from '../peers.ts'
import { findOn, type Growth, idsOf, managerFor, pointsOf, readAll } from './kit.ts'

const KEYS = 1_000
const CALLERS = 64

export async function byTags(
  url: string,
  counts: readonly number[],
  operations: number,
  rounds: number,
): Promise<readonly Growth[]> {
  const ids = idsOf(KEYS)
  const id = (index: number): string => ids[index % KEYS] ?? ''
  const managers = counts.map((count) => ({
    count,
    tags: Array.from({ length: count }, (_, i) => `group:${i}`),
    local: managerFor(`bench-tags-${count}`, { local: KEYS }),
    remote: managerFor(`bench-tags-${count}`, { url }),
  }))
  const kinds: Record<'local' | 'remote' | 'set', Contestant[]> = { local: [], remote: [], set: [] }
  for (const { count, tags, local, remote } of managers) {
    const [findLocal, findRemote] = [findOn(local, tags), findOn(remote, tags)]
    for (const each of ids) await Promise.all([findLocal(each), findRemote(each)])
    const cache = remote.cache('written')
    const add = (
      kind: keyof typeof kinds,
      callers: number,
      most: number,
      run: (index: number) => Promise<unknown>,
    ): void => {
      kinds[kind].push({
        name: `Larder: ${count} ${count === 1 ? 'tag' : 'tags'}`,
        round: () => readAll(run, most, callers),
      })
    }
    add('local', 1, operations, (index) => findLocal(id(index)))
    add('remote', CALLERS, operations / 10, (index) => findRemote(id(index)))
    add('set', CALLERS, operations / 20, (index) =>
      cache.set(id(index), userOf(id(index)), { tags }),
    )
  }
  const answers = [
    await growthOf('growth-tags-local', 'Time of a local hit, by tags', kinds.local, rounds),
    await growthOf(
      'growth-tags-remote',
      `Time of a remote hit, ${CALLERS} callers, by tags`,
      kinds.remote,
      rounds,
    ),
    await growthOf(
      'growth-tags-set',
      `Time of a set in the shared tier, ${CALLERS} callers, by tags`,
      kinds.set,
      rounds,
    ),
  ]
  for (const { local, remote } of managers) await Promise.all([local.close(), remote.close()])
  return answers
}

async function growthOf(
  id: string,
  title: string,
  contestants: readonly Contestant[],
  rounds: number,
): Promise<Growth> {
  const timed = await compare(contestants, rounds)
  return { id, title, points: pointsOf(timed) }
}
