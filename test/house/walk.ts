/**
 * How far a decorated read walks: the files of core in which a function runs from the call until the caller has its value.
 *
 * Counted by V8, which tells the functions that ran. Not counted: constructors, what runs behind the caller (keeping the value, in
 * process and in the store), and what belongs to a store or a codec. `npm run house` prints it; with `--json`, it is for the test.
 */

import { Session } from 'node:inspector'
import { Cacheable, createCacheManager } from '@larder/core'
import { MemoryServer } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { Flight } from '../../packages/core/src/cache/flight.ts'

const CORE = '/packages/core/src/'
/** The store in memory uses these; in a real one they are scripts. */
const OF_STORES = ['testing/', 'entry/header-patch.ts']
/** Classes, initializers of fields, and what the compiler adds to keep the names of functions. */
const NOT_WALKED = /^(?:[A-Z<]|__name$)/
/** After so many turns of the event loop, nothing runs in the background any more. */
const TURNS = 20

class Products {
  @Cacheable({ key: (id: string) => id, ttl: '1h' })
  async find(id: string): Promise<{ readonly id: string }> {
    return { id }
  }
}

const session = new Session()
session.connect()
session.post('Profiler.enable')
const caches = createCacheManager({
  namespace: 'walk',
  local: lruStore(),
  remote: new MemoryServer().store(),
  codec: () => ({
    name: 'json',
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
  }),
})
const products = new Products()
// The first reads do what is done once per process, method and partition.
for (const id of ['a', 'b', 'c']) await products.find(id)
await untilIdle()
const cold = await walkOf(() => products.find('cold'))
await untilIdle()
// The second one finds its shortcut.
await products.find('cold')
const hit = await walkOf(() => products.find('cold'))
await caches.close()

if (process.argv.includes('--json')) process.stdout.write(JSON.stringify({ cold, hit }))
else {
  const lines = [
    'Files of core in which a function runs from the call to the value; without constructors, what runs behind the caller, stores and codecs',
    lineOf('A cold read', cold),
    lineOf('A local hit', hit),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function lineOf(read: string, files: readonly string[]): string {
  const folders = new Map<string, number>()
  for (const file of files) {
    const folder = file.slice(0, file.indexOf('/'))
    folders.set(folder, (folders.get(folder) ?? 0) + 1)
  }
  const each = [...folders]
    .sort(([, a], [, b]) => b - a)
    .map(([folder, count]) => `${folder} ${count}`)
  return `  ${read}: ${files.length} (${each.join(', ')})`
}

async function untilIdle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The files that `read` walks through until its flight has a value, or until it has ended where there is no flight. */
async function walkOf(read: () => Promise<unknown>): Promise<readonly string[]> {
  let files: readonly string[] | undefined
  const { resolve } = Flight.prototype
  Flight.prototype.resolve = function (this: Flight, value: unknown): void {
    resolve.call(this, value)
    files ??= filesThatRan()
  }
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  try {
    await read()
    return files ?? filesThatRan()
  } finally {
    Flight.prototype.resolve = resolve
    session.post('Profiler.stopPreciseCoverage')
  }
}

function filesThatRan(): readonly string[] {
  const files = new Set<string>()
  session.post('Profiler.takePreciseCoverage', (_, { result }) => {
    for (const { url, functions } of result) {
      const at = url.indexOf(CORE)
      const isWalked = functions.some(
        ({ functionName, ranges }) => (ranges[0]?.count ?? 0) > 0 && !NOT_WALKED.test(functionName),
      )
      if (at >= 0 && isWalked) files.add(url.slice(at + CORE.length))
    }
  })
  return [...files].filter((file) => !OF_STORES.some((own) => file.startsWith(own))).sort()
}
