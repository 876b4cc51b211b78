/** Changes that wait to be announced together: nodes do not read logs for them, and find out what is not announced after all. */

import { partitionOf } from '@larder/core/store'
import { ManualClock, MemoryServer } from '@larder/core/testing'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { closeNodes, type MemoryNode, memoryNode } from '../support/memory-node.ts'

const NAMESPACE = 'announced'
const MAX_STALENESS_MS = 2_000
/** Longer than what waits is given. */
const ANNOUNCED_MS = 100
/** Two syncs. */
const SYNCED_MS = 1_700

let clock: ManualClock
let server: MemoryServer
let isGathering: boolean
let a: MemoryNode
let b: MemoryNode

beforeEach(async () => {
  clock = new ManualClock()
  isGathering = false
  server = new MemoryServer({ clock, notesHeads: true, gathers: () => isGathering })
  const defaults = { ttl: '1h', jitter: 0, maxStaleness: MAX_STALENESS_MS } as const
  const start = (): MemoryNode =>
    memoryNode({ namespace: NAMESPACE, clock, server }, { logger: false, defaults })
  a = start()
  b = start()
  onTestFinished(() => closeNodes(clock, [a.caches, b.caches]))
  for (const node of [a, b]) await after(node.caches.cache('c').get('none'))
  isGathering = true
})

async function after<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined)
  await clock.advanceAsync(0)
  return work
}

function read(node: MemoryNode, key: string, value: string): Promise<string> {
  return after(node.caches.cache<string>('c').getOrLoad(key, async () => value))
}

function evict(node: MemoryNode, key: string): Promise<unknown> {
  return after(node.caches.cache<string>('c').evict(key))
}

function logReads(node: MemoryNode): number {
  return node.store.faults.calls('changesSince')
}

/** Keys of the cache `c` in one partition. */
function neighbours(): readonly [string, string] {
  const [first = '', second = ''] = Array.from({ length: 2_000 }, (_, n) => `k${n}`).filter(
    (key) => partitionOf(`c:${key}`) === partitionOf('c:k0'),
  )
  return [first, second]
}

/** The server forgets what waits, as one short of memory does. */
function loseWhatWaits(): void {
  expect(server.dropKey({ namespace: NAMESPACE, kind: 'owed' })).toBe(true)
}

describe('a change that waits to be announced', () => {
  it('holds at once on the node that made it, and on others when it is announced', async () => {
    await read(a, 'k', 'old')
    await read(b, 'k', 'old')
    await evict(a, 'k')
    expect(await read(a, 'k', 'new')).toBe('new')
    expect(await read(b, 'k', 'never')).toBe('old')
    await clock.advanceAsync(ANNOUNCED_MS)
    expect(await read(b, 'k', 'never')).toBe('new')
    expect(logReads(a) + logReads(b)).toBe(0)
  })

  it('has no log read by a node that changes something after it', async () => {
    const [one, other] = neighbours()
    await read(b, one, 'old')
    await evict(a, one)
    await evict(b, other)
    await clock.advanceAsync(ANNOUNCED_MS)
    expect(logReads(b)).toBe(0)
    expect(await read(b, one, 'new')).toBe('new')
  })

  it('has no log read by a node that syncs meanwhile', async () => {
    await read(b, 'k', 'old')
    await evict(a, 'k')
    const reads = logReads(b)
    await clock.advanceAsync(ANNOUNCED_MS)
    await clock.advanceAsync(SYNCED_MS)
    expect(logReads(b)).toBe(reads)
    expect(await read(b, 'k', 'new')).toBe('new')
  })
})

describe('a change that is not announced after all', () => {
  it('is read from the log by a node that changed something after it', async () => {
    const [one, other] = neighbours()
    await read(b, one, 'old')
    await evict(a, one)
    await evict(b, other)
    loseWhatWaits()
    await clock.advanceAsync(ANNOUNCED_MS)
    expect(logReads(b)).toBeGreaterThan(0)
    expect(await read(b, one, 'new')).toBe('new')
  })

  it('is found by a sync', async () => {
    await read(b, 'k', 'old')
    await evict(a, 'k')
    loseWhatWaits()
    await clock.advanceAsync(SYNCED_MS)
    expect(await read(b, 'k', 'new')).toBe('new')
  })

  it('is found by a sync that is told that changes wait', async () => {
    await read(b, 'k', 'old')
    await evict(a, 'k')
    // b hears nothing, and as long as something waits, its syncs are told so.
    b.store.disconnect({ only: 'messages', silently: true })
    for (let passed = 0; passed < MAX_STALENESS_MS; passed += 10) {
      await clock.advanceAsync(10)
      await evict(a, 'other')
    }
    expect(await read(b, 'k', 'new')).toBe('new')
  })
})

it('nodes that close while something is missing leave no timer', async () => {
  const [one, other] = neighbours()
  await read(b, one, 'old')
  await evict(a, one)
  await evict(b, other)
  const closing = Promise.all([a.caches.close(), b.caches.close()])
  await clock.advanceAsync(0)
  await closing
})
