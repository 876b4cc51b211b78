/** `refresh` over a real Redis: one load for all nodes, heard of by all of them, and nothing older wins. */

import { describe, expect, it, vi } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { startPair } from '../support/nodes.ts'

const never = (): Promise<never> => Promise.reject(new Error('must not load'))

describe('refresh', () => {
  it('is followed by one load for all who ask while it runs on a node, and by no more than one on the other', async () => {
    const [a, b] = await startPair({ policy: { leaseWait: '20s' } })
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    await onA.set('k', 'old')
    const gates = [deferred<string>(), deferred<string>(), deferred<string>()]
    let loads = 0
    const load = vi.fn(() => gates[loads++]?.promise ?? never())
    const first = onA.refresh('k', load)
    await eventually('it loads', () => loads === 1)
    const later = [onB, onA, onB].map((cache) => cache.refresh('k', load))
    expect(await onB.getOrLoad('k', never)).toBe('old')
    gates[0]?.resolve('first')
    expect(await first).toBe('first')
    await eventually('the next one loads', () => loads === 2)
    gates[1]?.resolve('second')
    // A node that looks so late that it cannot tell whether this load began after its callers asked loads once more.
    gates[2]?.resolve('second')
    expect(await Promise.all(later)).toEqual(['second', 'second', 'second'])
    expect(loads).toBeLessThanOrEqual(3)
    await eventually('all read it', async () => {
      return (await onA.get('k')) === 'second' && (await onB.get('k')) === 'second'
    })
  })

  it('is heard of by a node that holds the old value', async () => {
    const [a, b] = await startPair()
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    await onA.set('k', 'old')
    expect(await onB.get('k')).toBe('old')
    expect(await onA.refresh('k', async () => 'new')).toBe('new')
    await eventually('the other node reads it', async () => (await onB.get('k')) === 'new')
    expect(await onA.getOrLoad('k', never)).toBe('new')
  })

  it('gives way to an eviction on the other node', async () => {
    const [a, b] = await startPair()
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    const gate = deferred<string>()
    const refreshing = onA.refresh('k', () => gate.promise)
    await eventually('it loads', () => a.caches.stats().loads === 1)
    await onB.evict('k')
    gate.resolve('old')
    expect(await refreshing).toBe('old')
    await eventually('nobody reads it', async () => {
      return (await onA.get('k')) === undefined && (await onB.get('k')) === undefined
    })
  })
})
