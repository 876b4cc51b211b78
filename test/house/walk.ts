/**
 * `npm run house`: the files of core that a decorated read runs through, from the call to the value.
 *
 * Counted by V8, which tells the functions that ran. The store is the one in memory, so that only core is counted. The background work
 * of the start has ended before; a fill, which runs behind the caller, is counted with the read.
 */

import { Session } from 'node:inspector'
import { Cacheable, createCacheManager } from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'

const CORE = '/packages/core/src/'
/** After so many turns of the event loop, nothing runs in the background any more. */
const TURNS = 20

class Products {
  @Cacheable({ key: (id: string) => id, ttl: '1h' })
  async find(id: string): Promise<string> {
    return `product ${id}`
  }
}

const session = new Session()
session.connect()
const caches = createCacheManager({
  namespace: 'walk',
  local: lruStore(),
  remote: new MemoryServer().store(),
  codec: structuredCodec,
})
const products = new Products()
// The first reads do what is done once per process, method and partition.
for (const id of ['a', 'b', 'c']) await products.find(id)
await untilIdle()
const cold = await filesOf(() => products.find('cold'))
await untilIdle()
// The second one finds its shortcut.
await products.find('cold')
const hit = await filesOf(() => products.find('cold'))
await caches.close()
print('A cold read', cold)
print('A local hit', hit)

function print(read: string, files: readonly string[]): void {
  const folders = new Map<string, number>()
  for (const file of files) {
    const folder = file.slice(0, file.indexOf('/'))
    folders.set(folder, (folders.get(folder) ?? 0) + 1)
  }
  const each = [...folders]
    .sort(([, a], [, b]) => b - a)
    .map(([folder, count]) => `${folder} ${count}`)
  process.stdout.write(`${read} runs through ${files.length} files of core: ${each.join(', ')}\n`)
}

async function untilIdle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The files of core, without its test kit, that have a function which ran during `work`. */
async function filesOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  await work()
  const files = new Set<string>()
  session.post('Profiler.takePreciseCoverage', (_, { result }) => {
    for (const { url, functions } of result) {
      const isRun = functions.some(
        ({ functionName, ranges }) => functionName !== '' && (ranges[0]?.count ?? 0) > 0,
      )
      if (isRun && url.includes(CORE)) files.add(url.slice(url.indexOf(CORE) + CORE.length))
    }
  })
  session.post('Profiler.stopPreciseCoverage')
  return [...files].filter((file) => !file.startsWith('testing/')).sort()
}
