/** What a cache offers without decorators, over a real Redis. */

import { LoadTimeoutError } from '@larder/core'
import { describe, expect, it } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { startPair } from '../support/nodes.ts'

const never = (): Promise<never> => Promise.reject(new Error('must not load'))

describe('callers who leave', () => {
  it('leave the load to who waits on another node, and give it up when nobody does', async () => {
    const [a, b] = await startPair({ policy: { leaseWait: '20s' } })
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    const caller = new AbortController()
    const { signal } = caller
    const gate = deferred<string>()
    const leaving = onA.getOrLoad('k', () => gate.promise, { signal })
    await eventually('it loads', () => a.caches.stats().loads === 1)
    const waiting = onB.getOrLoad('k', never)
    caller.abort(new Error('gone'))
    await expect(leaving).rejects.toThrow('gone')
    gate.resolve('v')
    expect(await waiting).toBe('v')

    const last = new AbortController()
    let given: AbortSignal | undefined
    const alone = onA.getOrLoad(
      'l',
      (context) => {
        given = context.signal
        return new Promise((_, reject) =>
          context.signal.addEventListener('abort', () => reject(new Error('ended'))),
        )
      },
      { signal: last.signal },
    )
    await eventually('it loads', () => given !== undefined)
    last.abort(new Error('gone'))
    await expect(alone).rejects.toThrow('gone')
    expect(given?.aborted).toBe(true)
    // The lease was given back: nobody has to wait for it.
    expect(await onB.getOrLoad('l', async () => 'new')).toBe('new')
  })

  it('by hardTimeout find the value that was loaded meanwhile', async () => {
    const [a, b] = await startPair()
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    const gate = deferred<string>()
    const reading = onA.getOrLoad('k', () => gate.promise, { hardTimeout: 20 })
    await expect(reading).rejects.toThrow(LoadTimeoutError)
    gate.resolve('v')
    await eventually('it is cached', async () => (await onB.get('k')) === 'v')
    expect(await onA.getOrLoad('k', never)).toBe('v')
  })
})

describe('entries', () => {
  it('tell what they are, here and there, and their keys can be gone through', async () => {
    const [a, b] = await startPair({ policy: { staleIfError: '1h' } })
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    await onA.set('k', 'v', { tags: ['t'] })
    await onA.set('soft', 'v')
    await onA.evict('soft', { soft: true })
    expect(await onA.getEntry('k')).toMatchObject({ tier: 'local', state: 'fresh', tags: ['t'] })
    const there = await onB.getEntry('k')
    expect(there).toMatchObject({ tier: 'remote', value: 'v', tags: ['t'] })
    expect(there?.livesForMs).toBeGreaterThan(7_000_000)
    expect(await onB.get('soft', { allowStale: true })).toBe('v')
    expect(await onB.get('soft')).toBeUndefined()
    const keys: string[] = []
    for await (const key of onB.keys()) keys.push(key)
    expect(keys).toEqual(['k'])
  })
})
