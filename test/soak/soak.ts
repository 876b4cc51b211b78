/**
 * Churn of keys, tags and locks on two nodes, bounded by count and by time; afterwards everything has to be as it was.
 *
 * `node test/soak/run.mjs` takes ten minutes at most, `--quick` one. What is watched: heap, handles, listeners, keys and
 * memory of Redis. A leak shows as growth from one half of the run to the other, so that is what is compared, after
 * everything was collected; caches fill up in the first.
 */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { startRedis } from '../support/redis/redis-server.ts'

const isQuick = process.argv.includes('--quick')
const LIMIT_MS = isQuick ? 50_000 : 600_000
const MOST_KEYS = isQuick ? 60_000 : 1_000_000
const TAGS = isQuick ? 1_000 : 10_000
const BATCH = 200
const LOCAL_ENTRIES = 5_000
const TTL_MS = 4_000
/** Growth that is noise: code that was compiled meanwhile, and what the collector leaves. */
const HEAP_ROOM_MB = 12
const MB = 1024 * 1024

interface Figures {
  readonly keys: number
  readonly seconds: number
  readonly heapMb: number
  readonly handles: number
  readonly redisKeys: number
  readonly redisMb: number
}

let unhandled = 0
process.on('unhandledRejection', () => {
  unhandled += 1
})

const server = await startRedis()
const nodes = [makeNode(), makeNode()]
const caches = nodes.map((node) =>
  node.cache<{ readonly id: string; readonly text: string }>('items'),
)
const begun = performance.now()
const figures: Figures[] = []
let done = 0
line('   keys   seconds   heap MB   handles   redis keys   redis MB')
for (let next = MOST_KEYS / 10; done < MOST_KEYS && performance.now() - begun < LIMIT_MS; ) {
  await churn()
  if (done < next) continue
  next += MOST_KEYS / 10
  figures.push(await look())
}
// Leases, markers and entries end by themselves.
const deadline = performance.now() + 4 * TTL_MS
let keysLeft = await redisKeys()
while (keysLeft > BATCH && performance.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, 250))
  keysLeft = await redisKeys()
}
const last = await look()
await Promise.all(nodes.map((node) => node.close()))
await server.stop()
await new Promise((resolve) => setTimeout(resolve, 100))
const handlesLeft = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name))

const half = figures[Math.floor(figures.length / 2)] ?? last
const problems = [
  last.heapMb > half.heapMb + HEAP_ROOM_MB &&
    `the heap grew from ${half.heapMb} to ${last.heapMb} MB`,
  last.handles > half.handles + 5 && `handles grew from ${half.handles} to ${last.handles}`,
  keysLeft > BATCH && `${keysLeft} keys are left in Redis`,
  unhandled > 0 && `${unhandled} rejections were not handled`,
  handlesLeft.length > 0 && `after close there are still ${handlesLeft.join(', ')}`,
].filter((problem) => problem !== false)
for (const problem of problems) process.stderr.write(`${problem}\n`)
line(problems.length === 0 ? 'level' : 'not level')
process.exitCode = problems.length === 0 ? 0 : 1

function makeNode(): ReturnType<typeof createCacheManager> {
  return createCacheManager({
    namespace: 'soak',
    local: lruStore({ maxEntries: LOCAL_ENTRIES }),
    remote: redisStore({ url: server.url }),
    default: false,
    storeTimeout: '2s',
    defaults: { ttl: TTL_MS, staleWhileRevalidate: '1s' },
  })
}

/** Some keys nobody had before, on both nodes: loaded, read, put, evicted by key and by tag, locked. */
async function churn(): Promise<void> {
  const from = done
  const ids = Array.from({ length: BATCH }, (_, i) => `k${from + i}`)
  const [one, other] = caches as [(typeof caches)[0], (typeof caches)[0]]
  const load = (id: string) => async () => ({ id, text: 'x'.repeat(100) })
  await Promise.all(
    ids.map((id, i) => one.getOrLoad(id, load(id), { tags: [`t${(from + i) % TAGS}`] })),
  )
  await Promise.all(ids.map((id) => other.getOrLoad(id, load(id))))
  await Promise.all(ids.slice(0, 20).map((id) => one.set(id, { id, text: 'put' })))
  await Promise.all(ids.slice(20, 60).map((id) => other.evict(id)))
  await nodes[0]?.evictTags([`t${from % TAGS}`])
  await Promise.all(
    ids.slice(0, 5).map((id) => nodes[1]?.locks.run(id, { lease: '1s' }, async () => undefined)),
  )
  done += BATCH
}

async function look(): Promise<Figures> {
  ;(globalThis as { gc?: () => void }).gc?.()
  const memory = String(await server.command('INFO', 'memory'))
  const now: Figures = {
    keys: done,
    seconds: Math.round((performance.now() - begun) / 1_000),
    heapMb: Math.round(process.memoryUsage().heapUsed / MB),
    handles: process.getActiveResourcesInfo().length,
    redisKeys: await redisKeys(),
    redisMb: Math.round(Number(/used_memory:(\d+)/.exec(memory)?.[1]) / MB),
  }
  const widths = [7, 10, 10, 10, 13, 11]
  line(
    Object.values(now)
      .map((figure, i) => String(figure).padStart(widths[i] ?? 8))
      .join(''),
  )
  return now
}

/** Without what is there for good: logs, the tag clock, locks' fences. */
async function redisKeys(): Promise<number> {
  const keys = (await server.command('KEYS', '{soak:*}:items:*')) as readonly string[]
  return keys.length
}

function line(text: string): void {
  process.stdout.write(`${text}\n`)
}
