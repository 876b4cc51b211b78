/** Event stores whose server has lost events that were appended: a failover, a backup that was restored, a server that was emptied. */

import { createCacheManager, type EventConflictError } from '@larder/core'
import { createEventStore } from '@larder/plugins/messaging'
import { redisEventStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startSentinel } from '../support/redis/redis-sentinel.ts'
import { all, openTwo } from './support/stage.ts'

/** Looks for new events only when this process appends one. */
const ASLEEP = { pollEvery: '1h', saveEvery: 1, lease: '10m' } as const

function open() {
  const [caches] = openTwo('on Redis')
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  const store = createEventStore<string>(caches, { name: 'n' })
  const seen: string[] = []
  const fences: number[] = []
  const states: string[] = []
  caches.on('projection', ({ state }) => states.push(state))
  const project = () => {
    const projection = store.project(
      'p',
      ({ data }, { fence }) => {
        seen.push(data)
        fences.push(fence)
      },
      ASLEEP,
    )
    onTestFinished(() => projection.close())
    return projection
  }
  return { store, redis, seen, fences, states, project, namespace: caches.namespace }
}

/** All that the server has of a namespace; calling what is returned makes it so again, in one step. */
async function kept(redis: Redis, namespace: string): Promise<() => Promise<void>> {
  const keys = await redis.keys(`{${namespace}:*`)
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
  return async () => {
    const restoring = redis.multi().del(...(await redis.keys(`{${namespace}:*`)))
    for (const [i, key] of keys.entries())
      restoring.call('RESTORE', key, '0', dumps[i] as Buffer, 'REPLACE')
    await restoring.exec()
  }
}

it('a projection skips no event that got the position of a lost one', async () => {
  const { store, redis, seen, states, project, namespace } = open()
  project()
  await store.append('a', ['1', '2', '3'])
  await eventually('they are handled and saved', async () => {
    const saved = await redis.hget(`{${namespace}:events:n:0}:projection:p`, 'position')
    return saved === '3' && seen.length === 3
  })
  const lose = await kept(redis, namespace)
  await store.append('a', ['lost 4', 'lost 5'])
  await eventually('they are handled', () => seen.length === 5)
  await lose()
  await store.append('b', ['4', '5', '6'])
  await eventually('the new ones are handled', () => seen.includes('6'))
  expect(seen).toEqual(['1', '2', '3', 'lost 4', 'lost 5', '4', '5', '6'])
  expect(states).toEqual(['taken', 'rewound', 'taken'])
})

it('a projection saves nothing that its log does not have', async () => {
  const { store, redis, seen, states, namespace } = open()
  await store.append('a', ['1'])
  const lose = await kept(redis, namespace)
  let isLost = false
  const handler = async ({ data }: { readonly data: string }) => {
    seen.push(data)
    if (data !== 'lost 2' || isLost) return
    isLost = true
    // While it is handled, it is lost; the turn is not, because both keys are of the same server.
    const key = `{${namespace}:events:n:0}:projection:p`
    const turn = await redis.dumpBuffer(key)
    await lose()
    await redis.call('RESTORE', key, '0', turn, 'REPLACE')
  }
  const projection = store.project('p', handler, { ...ASLEEP, pollEvery: 10 })
  onTestFinished(() => projection.close())
  await eventually('the first one is handled', () => seen.length === 1)
  await store.append('a', ['lost 2'])
  await eventually('it is noticed', () => states.includes('rewound'))
  await store.append('b', ['2'])
  await eventually('the new one is handled', () => seen.includes('2'))
  expect(seen).toEqual(['1', 'lost 2', '2'])
})

it('a projection begins anew where the server was emptied, with a higher fence', async () => {
  const { store, redis, seen, fences, states, project, namespace } = open()
  project()
  await store.append('a', ['1', '2'])
  await eventually('they are handled', () => seen.length === 2)
  await redis.del(...(await redis.keys(`{${namespace}:*`)))
  await store.append('a', ['new'])
  await eventually('the new one is handled', () => seen.includes('new'))
  expect(states).toEqual(['taken', 'rewound', 'taken'])
  expect(fences[2]).toBeGreaterThan(Number(fences[1]))
})

it('a projection whose log is gone begins anew, and does not wait for the positions that were', async () => {
  const { store, redis, seen, states, project, namespace } = open()
  const first = project()
  await store.append('a', ['1', '2', '3'])
  await eventually('they are handled', () => seen.length === 3)
  await first.close()
  await redis.del(`{${namespace}:events:n:0}:log`)
  project()
  await store.append('b', ['4'])
  await eventually('it is handled', () => seen.includes('4'))
  expect(states.filter((state) => state === 'rewound')).toHaveLength(1)
})

it('after a failover that lost events, appends and projections go on from what is there', async () => {
  const group = await startSentinel({ replicas: 1 })
  onTestFinished(() => group.stop())
  const { sentinelAddresses: sentinels, name } = group
  const eventStore = redisEventStore({ options: { sentinels, name } })
  const caches = createCacheManager({
    namespace: freshNamespace(),
    eventStore,
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  const store = createEventStore<string>(caches, { name: 'n', storeTimeout: '10s' })
  const states: string[] = []
  caches.on('projection', ({ state }) => states.push(state))
  const seen: string[] = []
  const projection = store.project('p', ({ data }) => void seen.push(data), { pollEvery: 20 })
  onTestFinished(() => projection.close())
  await store.append('a', ['1'], { expected: 'none' })
  await eventually('it is handled', () => seen.length === 1)
  const [master, replica] = group.servers
  const offset = async () => /master_repl_offset:(\d+)/.exec(String(await master?.command('INFO')))
  await eventually('the replica has it', async () => {
    const info = String(await replica?.command('INFO', 'replication'))
    return /slave_repl_offset:(\d+)/.exec(info)?.[1] === (await offset())?.[1]
  })
  // The replica stands still, and has no connection, while the next ones are appended: it never gets them.
  await replica?.pause()
  await master?.command('CLIENT', 'KILL', 'TYPE', 'replica')
  const { version } = await store.append('a', ['lost 2', 'lost 3'], { expected: 1 })
  expect(version).toBe(3)
  await eventually('they are handled', () => seen.includes('lost 3'))
  await master?.kill()
  await replica?.resume()
  await eventually(
    'an append is taken, at the version that is left',
    async () => {
      try {
        return await store.append('a', ['2'], { expected: 1, id: 'i' })
      } catch (error) {
        const { code, found } = error as Partial<EventConflictError>
        if (code === 'LARDER_STREAM_CONFLICT') expect(found).toBe(1)
        return undefined
      }
    },
    60_000,
  )
  await eventually('it is projected', () => seen.includes('2'), 30_000)
  expect((await all(store.read('a'))).map(({ data }) => data)).toEqual(['1', '2'])
  expect(states).toContain('rewound')
}, 180_000)
