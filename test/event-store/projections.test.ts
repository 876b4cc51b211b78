/** What projections promise, on each store. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { createEventStore, type EventTurn, type StoredEvent } from '@larder/plugins/messaging'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { openTwo, PLACES } from './support/stage.ts'

const FAST = { pollEvery: 10, lease: '1s' } as const

describe.each(PLACES)('a projection %s', (place) => {
  const open = (partitions = 1) => {
    const [one, other] = openTwo(place)
    const options = { name: 'n', partitions }
    return {
      store: createEventStore<number>(one, options),
      other: createEventStore<number>(other, options),
      managers: [one, other] as const,
    }
  }

  it('hands over what is kept and what is to come, in order and once while nothing fails', async () => {
    const { store, other } = open()
    await store.append('a', [1, 2])
    const seen: number[] = []
    const projection = store.project('p', ({ data }) => void seen.push(data), FAST)
    onTestFinished(() => projection.close())
    await eventually('those that were kept', () => seen.length === 2)
    await other.append('b', [3])
    await store.append('a', [4])
    await eventually('those that came later', () => seen.length === 4)
    expect(seen).toEqual([1, 2, 3, 4])
    expect(projection.status()).toEqual([{ partition: 0, state: 'running', position: 4 }])
  })

  it('goes on where it was when it was closed', async () => {
    const { store, other } = open(3)
    for (let i = 0; i < 30; i++) await store.append(`s${i}`, [i])
    const seen: number[] = []
    const first = store.project('p', ({ data }) => void seen.push(data), FAST)
    await eventually('half of them', () => seen.length >= 15)
    await first.close()
    const second = other.project('p', ({ data }) => void seen.push(data), FAST)
    onTestFinished(() => second.close())
    await eventually('all of them', () => seen.length >= 30)
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i))
    expect(first.status().every(({ state }) => state === 'closed')).toBe(true)
  })

  it('lets one of two projectors do it, and the other one when that is closed', async () => {
    const { store, other } = open()
    await store.append('a', [1])
    const turns: [string, number, number][] = []
    const handler =
      (who: string) =>
      ({ data }: StoredEvent<number>, { fence }: EventTurn) =>
        void turns.push([who, data, fence])
    const first = store.project('p', handler('first'), FAST)
    await eventually('the first one has it', () => turns.length === 1)
    const second = other.project('p', handler('second'), FAST)
    onTestFinished(() => second.close())
    await store.append('a', [2])
    await eventually('the first one goes on', () => turns.length === 2)
    expect(second.status()[0]?.state).toBe('waiting')
    await first.close()
    await store.append('a', [3])
    await eventually('the second one has it', () => turns.length === 3)
    const fences = turns.map(([, , fence]) => fence)
    expect(turns.map(([who, data]) => [who, data])).toEqual([
      ['first', 1],
      ['first', 2],
      ['second', 3],
    ])
    expect(fences[0]).toBe(fences[1])
    expect(fences[2]).toBeGreaterThan(Number(fences[1]))
  })

  it('tries an event again whose handler fails, reports it, and keeps the order', async () => {
    const { store, managers } = open()
    const events: unknown[] = []
    managers[0].on('projection', (event) => events.push(event))
    await store.append('a', [1, 2, 3])
    const seen: number[] = []
    let failures = 2
    const handler = ({ data }: StoredEvent<number>): void => {
      seen.push(data)
      if (data === 2 && failures-- > 0) throw new Error('no database')
    }
    const projection = store.project('p', handler, FAST)
    onTestFinished(() => projection.close())
    await eventually('it gets over it', () => seen.includes(3))
    expect(seen).toEqual([1, 2, 2, 2, 3])
    expect(events).toMatchObject([
      { store: 'n', projection: 'p', partition: 0, state: 'taken' },
      { state: 'failed', error: { message: 'no database' } },
      { state: 'failed' },
    ])
  })

  it('keeps its turn while a handler takes longer than the lease', async () => {
    const { store, other } = open()
    await store.append('a', [1])
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const seen: string[] = []
    const first = store.project(
      'p',
      async ({ data }, { signal }) => {
        seen.push(`first ${data}`)
        await released
        seen.push(`signal ${signal.aborted}`)
      },
      FAST,
    )
    onTestFinished(() => first.close())
    await eventually('it has begun', () => seen.length === 1)
    const second = other.project('p', ({ data }) => void seen.push(`second ${data}`), FAST)
    onTestFinished(() => second.close())
    // Longer than the lease, as the condition shows: the second one has asked often enough.
    const askedAt = performance.now()
    await eventually('a lease is over', () => performance.now() - askedAt > 1_500)
    release()
    await eventually('it has ended', () => seen.length === 2)
    expect(seen).toEqual(['first 1', 'signal false'])
  })

  it('keeps projections of two names apart', async () => {
    const { store } = open()
    await store.append('a', [1, 2])
    const seen: string[] = []
    for (const name of ['p', 'q']) {
      const projection = store.project(name, ({ data }) => void seen.push(`${name}${data}`), FAST)
      onTestFinished(() => projection.close())
    }
    await eventually('both have all', () => seen.length === 4)
    expect(seen.toSorted()).toEqual(['p1', 'p2', 'q1', 'q2'])
  })

  it('aborts the signal and saves what was done when it is closed', async () => {
    const { store, other } = open()
    await store.append('a', [1, 2, 3])
    const seen: number[] = []
    const projection = store.project(
      'p',
      async ({ data }, { signal }) => {
        seen.push(data)
        if (data === 2)
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      },
      FAST,
    )
    await eventually('it is at the second one', () => seen.length === 2)
    await projection.close()
    const next = other.project('p', ({ data }) => void seen.push(data), FAST)
    onTestFinished(() => next.close())
    await eventually('the rest is done', () => seen.includes(3))
    expect(seen).toEqual([1, 2, 3])
  })

  it('runs the handler in the async context in which it was registered', async () => {
    const { store } = open()
    const storage = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const projection = storage.run('own', () =>
      store.project('p', () => void seen.push(storage.getStore()), FAST),
    )
    onTestFinished(() => projection.close())
    await storage.run('other', () => store.append('a', [1]))
    await eventually('it is called', () => seen.length === 1)
    expect(seen).toEqual(['own'])
  })

  it('can be closed in its own handler', async () => {
    const { store } = open()
    await store.append('a', [1, 2])
    const seen: number[] = []
    const projection = store.project(
      'p',
      async ({ data }) => {
        seen.push(data)
        await projection.close()
      },
      FAST,
    )
    await eventually('it has ended', () => projection.status()[0]?.state === 'closed')
    expect(seen).toEqual([1])
    const next = store.project('p', ({ data }) => void seen.push(data), FAST)
    onTestFinished(() => next.close())
    await eventually('the next one goes on', () => seen.length > 1)
    expect(seen).toEqual([1, 2])
  })

  it('gets further when a handler holds up the process for longer than the lease', async () => {
    const { store } = open()
    await store.append('a', [1, 2])
    const seen: number[] = []
    const handler = ({ data }: StoredEvent<number>): void => {
      seen.push(data)
      if (data === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200)
    }
    const projection = store.project('p', handler, FAST)
    onTestFinished(() => projection.close())
    await eventually('the next one', () => seen.includes(2))
    expect(seen).toEqual([1, 2])
  })

  it('does not hold up the end of its manager', async () => {
    const { store, managers } = open()
    await store.append('a', [1])
    const never = new Promise<void>(() => undefined)
    let begun = false
    store.project(
      'p',
      () => {
        begun = true
        return never
      },
      FAST,
    )
    await eventually('it has begun', () => begun)
    await managers[0].close()
  })
})
