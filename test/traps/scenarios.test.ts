/** The scenarios in which cache libraries for Node were seen to serve old values, load too often, or crash; across processes. */

import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'
import { startFleet } from './node-processes.ts'

describe('C1–C3: an invalidation while the loader is in flight', () => {
  it.each([
    ['C1 by key, same process', 0, 'evict'],
    ['C2 by key, another process', 1, 'evict'],
    ['C3 by tag, same process', 0, 'evict-tag'],
    ['C3 by tag, another process', 1, 'evict-tag'],
    ['C3 by clear, another process', 1, 'clear'],
  ] as const)('%s', async (_, evictor, order) => {
    const fleet = await startFleet(2)
    const [a, b] = fleet.nodes
    await fleet.setSource('old')
    const loading = a?.order({ order: 'load', loadMs: 300 })
    await eventually('A has read the source', () => a?.loading.length === 1)

    await fleet.setSource('new')
    await fleet.nodes[evictor]?.order({ order })

    expect(await loading).toBe('old')
    expect(await b?.order({ order: 'load' })).toBe('new')
    await eventually(
      'A reads the new value',
      async () => (await a?.order({ order: 'load' })) === 'new',
    )
    expect(await b?.order({ order: 'get' })).toBe('new')
  })
})

describe('C4: the subscriber connection is lost', () => {
  it('what was evicted meanwhile, by key and by tag, is not served afterwards', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const fleet = await startFleet(2, proxy.url)
    const [a, b] = fleet.nodes
    await fleet.setSource('old')
    expect(await b?.order({ order: 'load', key: 'k' })).toBe('old')
    expect(await b?.order({ order: 'load', key: 'tagged' })).toBe('old')

    await fleet.setSource('new')
    proxy.cut()
    await a?.order({ order: 'evict', key: 'k' })
    await a?.order({ order: 'evict-tag' })

    await eventually('B serves the new values', async () => {
      const values = [
        await b?.order({ order: 'load', key: 'k' }),
        await b?.order({ order: 'load', key: 'tagged' }),
      ]
      return values.every((value) => value === 'new')
    })
  })
})

describe('C5: clear on one node', () => {
  it('is seen on the other', async () => {
    const fleet = await startFleet(2)
    const [a, b] = fleet.nodes
    await fleet.setSource('old')
    expect(await b?.order({ order: 'load' })).toBe('old')
    await fleet.setSource('new')
    await a?.order({ order: 'clear' })
    await eventually('B forgets it', async () => (await b?.order({ order: 'get' })) === null)
    expect(await b?.order({ order: 'load' })).toBe('new')
  })
})

describe('C6: a cold key under load', () => {
  it('4 processes with 250 callers each load it once', async () => {
    const fleet = await startFleet(4)
    await fleet.setSource('value')
    const distinct = await Promise.all(
      fleet.nodes.map((node) => node.order({ order: 'stampede', callers: 250, loadMs: 100 })),
    )
    expect(distinct).toEqual([1, 1, 1, 1])
    expect(await fleet.loads()).toBe(1)
  })
})

describe('a process', () => {
  it('ends by itself after close()', async () => {
    const fleet = await startFleet(1)
    const [node] = fleet.nodes
    await node?.order({ order: 'load' })
    const ended = once(node?.child ?? process, 'exit')
    await node?.order({ order: 'close' })
    expect((await ended)[0]).toBe(0)
  })

  it('whose loader dies with it delays the others by leaseWait at most', async () => {
    const fleet = await startFleet(2)
    const [a, b] = fleet.nodes
    await fleet.setSource('value')
    void a?.order({ order: 'load', loadMs: 60_000 }).catch(() => undefined)
    await eventually('A loads', () => a?.loading.length === 1)
    a?.child.kill('SIGKILL')
    const askedAt = performance.now()

    expect(await b?.order({ order: 'load' })).toBe('value')
    // leaseWait is 5 s by default; the rest is room for a noisy machine.
    expect(performance.now() - askedAt).toBeLessThan(9_000)
  })
})
