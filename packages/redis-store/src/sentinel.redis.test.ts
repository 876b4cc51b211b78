/** The store on a master watched by Sentinel. */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../test/support/eventually.ts'
import { type RedisSentinel, startSentinel } from '../../../test/support/redis/redis-sentinel.ts'
import { at, clients, freshNamespace, HARD, listen, openStore, put } from '../testing/stage.ts'
import type { RedisStoreOptions } from './options.ts'

let group: RedisSentinel
beforeAll(async () => {
  group = await startSentinel({ replicas: 2 })
}, 60_000)
afterAll(() => group.stop())

const address = () => ({ sentinels: group.sentinelAddresses, name: group.name })

const accesses: Readonly<Record<string, () => RedisStoreOptions>> = {
  'by its options': () => ({ options: address() }),
  ...Object.fromEntries(
    Object.entries(clients).map(([version, Client]) => [
      `by a client of ${version}, for replicas at that`,
      () => {
        const client = new Client({ ...address(), role: 'slave', failoverDetector: true } as never)
        client.on('error', () => undefined)
        onTestFinished(() => client.disconnect())
        return { client }
      },
    ]),
  ),
}

describe.each(Object.entries(accesses))('Sentinel, %s', (_, access) => {
  it('leads to the master, and after a failover to the new one', async () => {
    const namespace = freshNamespace()
    const store = openStore(access(), namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    expect((await store.put(at('k'), put())).stored).toBe(true)
    recorder.states.length = 0
    await group.failover()
    await eventually('it takes writes', async () => (await store.put(at('k'), put())).stored)
    await eventually('the engine is told', () => recorder.states.some((state) => state !== 'down'))
    await eventually('messages arrive from where they are sent', async () => {
      recorder.messages.length = 0
      await store.evict([at('k')], HARD)
      return eventually('one arrives', () => recorder.messages.length > 0, 200).catch(() => false)
    })
    await group.settle()
  }, 60_000)
})

describe('Sentinel', () => {
  it('that is not there fails calls and throws nothing', async () => {
    const options = { sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'm' }
    const store = openStore({ options })
    await expect(store.read([at('k')])).rejects.toMatchObject({ code: 'LARDER_STORE_UNAVAILABLE' })
    expect(store.ready).toBe(false)
  })

  it('finds a new master after a crash', async () => {
    const namespace = freshNamespace()
    const store = openStore({ options: address() }, namespace)
    await store.put(at('k'), put())
    const old = await group.master()
    await group.failover('crash')
    await eventually('it takes writes', async () => (await store.put(at('k'), put())).stored)
    await old.start()
  }, 60_000)
})
