/** Loads whose result is for one caller alone, over nodes on a real Redis: nobody waits for the lease of such a key. */

import { describe, expect, it } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { startPair } from '../support/nodes.ts'

const options = { unshared: (value: string) => value.startsWith('own') }
/** Longer than a test takes: who waits for a lease would be noticed by never getting an answer. */
const policy = { leaseWait: '1h' } as const

describe('a result that is for one caller, over nodes', () => {
  it('lets those who wait for the lease load side by side', async () => {
    const [one, other] = await startPair({ policy })
    const gate = deferred()
    const began: string[] = []
    const load = (name: string, until: Promise<void>) => async (): Promise<string> => {
      began.push(name)
      await until
      return `own ${name}`
    }
    const first = one.caches.cache<string>('c').getOrLoad('k', load('a', gate.promise), options)
    await eventually('the first loads', () => began.length === 1)
    const held = deferred()
    const waiting = ['b', 'c', 'd'].map((name) =>
      other.caches.cache<string>('c').getOrLoad('k', load(name, held.promise), options),
    )
    gate.resolve()
    expect(await first).toBe('own a')
    await eventually('all others load at once', () => began.length === 4)
    held.resolve()
    expect(await Promise.all(waiting)).toEqual(['own b', 'own c', 'own d'])
  })

  it('lets a node that hears of it for the first time wait for nobody', async () => {
    const [one, other] = await startPair({ policy })
    await one.caches.cache<string>('c').getOrLoad('k', async () => 'own a', options)
    await eventually('the mark is stored', async () => {
      const gate = deferred()
      const began: string[] = []
      const key = 'k'
      const load = (name: string) => async (): Promise<string> => {
        began.push(name)
        await gate.promise
        return `own ${name}`
      }
      const both = [one, other].map((node, i) =>
        node.caches.cache<string>('c').getOrLoad(key, load(`${i}`), options),
      )
      await eventually('both load', () => began.length === 2)
      gate.resolve()
      return (await Promise.all(both)).join() === 'own 0,own 1'
    })
  })

  it('is kept nowhere, and what may be shared is kept for all again', async () => {
    const [one, other] = await startPair({ policy })
    const [a, b] = [one.caches.cache<string>('c'), other.caches.cache<string>('c')]
    expect(await a.getOrLoad('k', async () => 'own a', options)).toBe('own a')
    expect(await b.get('k')).toBeUndefined()
    expect(await b.getOrLoad('k', async () => 'for all', options)).toBe('for all')
    await eventually('the other node finds it', async () => (await a.get('k')) === 'for all')
    await b.evict('k')
    expect(await b.getOrLoad('k', async () => 'own b', options)).toBe('own b')
  })

  it('takes the place of what is stale, on all nodes', async () => {
    const [one, other] = await startPair({ policy: { ...policy, staleIfError: '1h' } })
    const [a, b] = [one.caches.cache<string>('c'), other.caches.cache<string>('c')]
    await a.set('k', 'for all')
    await a.evict('k', { soft: true })
    await a.getOrLoad('k', async () => 'own a', options)
    await eventually('nothing is left to fall back to', async () => {
      return (await b.get('k', { allowStale: true })) === undefined
    })
  })
})
