/** `npm run demo` shows two nodes: on a Redis if there is one, and without. */

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redisStore } from '@larder/redis-store'
import { afterAll, expect, it } from 'vitest'
import { createCaches } from '../../examples/catalogue/caches.ts'
import { ROOT } from '../docs/pages.ts'
import { sharedRedisUrl } from '../support/redis/shared-redis.ts'

const DEMO_MS = 180_000

/** A PATH on which no Redis is found. */
const empty = mkdtempSync(join(tmpdir(), 'larder-demo-'))
afterAll(() => rmSync(empty, { recursive: true, force: true }))

/** Returns what it prints, whatever its exit code says: that depends on how fast this machine is. */
function demo(env: Readonly<Record<string, string>>): Promise<string> {
  const { REDIS_URL: _url, ...rest } = process.env
  const args = ['--conditions=larder-source', '--import', 'tsx', 'catalogue/main.ts']
  const cwd = join(ROOT, 'examples')
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env: { ...rest, ...env }, timeout: DEMO_MS },
      (_, stdout) => resolve(stdout),
    )
  })
}

it(
  'without a Redis it says so, and shows two nodes, a lost message and an outage',
  async () => {
    const said = await demo({ PATH: empty })
    expect(said).toContain(
      'No Redis found: both nodes are in this process, over a server in memory',
    )
    expect(said).toMatch(/loads for 1000 concurrent callers +1$/m)
    expect(said).toContain('right after the eviction, B had the old price')
    expect(said).toMatch(/message lost, new value read on B +\d/)
    expect(said).toMatch(/^ +errors +0$/m)
    expect(said).toMatch(/stale reads on A, which evicted +none/)
    expect(said).toMatch(/oldest stale read on B +\d/)
  },
  DEMO_MS,
)

it(
  'with a Redis it shows two processes, also when an earlier demo has left values there',
  async () => {
    const caches = createCaches(redisStore({ url: sharedRedisUrl() }), false)
    await caches.ready()
    const left = { id: 27, name: 'Product 27', shop: 7, price: 1, changed: 1, rank: 1, stars: 1 }
    await caches.cache('products').set(27, left)
    await caches.close()
    const said = await demo({ REDIS_URL: sharedRedisUrl() })
    expect(said).toContain('Two processes and a Redis')
    expect(said).toMatch(/tag evicted on A, new value read on B +\d/)
    expect(said).toContain('The outage chapter stops Redis')
  },
  DEMO_MS,
)
