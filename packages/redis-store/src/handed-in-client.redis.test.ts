/** A client of the user's, in whatever state and with whatever settings: it stays as it is, and the store works. */

import type { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../test/support/eventually.ts'
import { sharedRedisUrl } from '../../../test/support/redis/shared-redis.ts'
import { at, clients, freshNamespace, HARD, listen, openStore, put } from '../testing/stage.ts'

type Make = (settings?: object) => Redis

const HOSTILE = {
  keyPrefix: 'pre:',
  enableOfflineQueue: false,
  enableAutoPipelining: true,
  readOnly: true,
  commandTimeout: 1,
  socketTimeout: 1,
  maxRetriesPerRequest: 0,
  retryStrategy: null,
  stringNumbers: true,
  lazyConnect: true,
  autoResubscribe: true,
  enableReadyCheck: true,
}

const STATES: Readonly<Record<string, (make: Make) => Promise<Redis>>> = {
  'that is connecting': async (make) => make(),
  'that has not connected': async (make) => make({ lazyConnect: true }),
  'that is ready': async (make) => {
    const client = make()
    await client.ping()
    return client
  },
  'that is subscribed': async (make) => {
    const client = make()
    await client.subscribe('news')
    return client
  },
  'that was closed': async (make) => {
    const client = make()
    await client.quit()
    return client
  },
  'with settings of all kinds': async (make) => make(HOSTILE),
  'that speaks RESP3': async (make) => make({ protocol: 3 }),
}

describe.each(Object.entries(clients))('a client of %s', (_, Client) => {
  const make: Make = (settings = {}) => {
    const { hostname, port } = new URL(sharedRedisUrl())
    const client = new Client({ host: hostname, port: Number(port), ...settings } as never)
    client.on('error', () => undefined)
    onTestFinished(() => client.disconnect())
    return client
  }

  it.each(Object.entries(STATES))('%s serves, and stays as it is', async (_state, prepare) => {
    const client = await prepare(make)
    const before = [client.listenerCount('error'), { ...client.options }, client.mode]
    const namespace = freshNamespace()
    const store = openStore({ client }, namespace)
    const recorder = listen(store, namespace)
    await eventually('it is subscribed', () => recorder.states.includes('up'))
    expect((await store.put(at('k'), put())).stored).toBe(true)
    await store.evict([at('k')], HARD)
    await eventually('messages arrive', () => recorder.messages.length >= 2)
    expect([client.listenerCount('error'), { ...client.options }, client.mode]).toEqual(before)
  })

  it('serves many stores without a warning', async () => {
    const warnings: string[] = []
    const hear = ({ name, message }: Error): void => void warnings.push(`${name} ${message}`)
    process.on('warning', hear)
    onTestFinished(() => void process.off('warning', hear))
    const client = make()
    const stores = Array.from({ length: 25 }, () => openStore({ client }))
    await Promise.all(stores.map((store) => store.put(at('k'), put())))
    await Promise.all(stores.map((store) => store.close()))
    expect(warnings.filter((warning) => warning.includes('MaxListeners'))).toEqual([])
  })
})
