/** The Redis store does what every remote store must, with every supported way of reaching Redis. */

import type { Bus, BusMessage, RemoteStore } from '@larder/core/store'
import { busCases, engineCases, remoteStoreCases, runCases } from '@larder/core/testing'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'

interface Access {
  readonly options: RedisStoreOptions
  end(): void
}

function handIn(client: NonNullable<RedisStoreOptions['client']>): Access {
  return { options: { client }, end: () => client.disconnect() }
}

const accesses: Readonly<Record<string, (url: string) => Access>> = {
  'by URL': (url) => ({ options: { url }, end: () => undefined }),
  'by an ioredis 6 client': (url) => handIn(new Redis(url)),
  'by an ioredis 5 client': (url) => handIn(new Redis5(url)),
}

describe.each(Object.entries(accesses))('redisStore, %s', (_, access) => {
  const makeStores = () => {
    const used = [access(inject('redisUrl')), access(inject('redisUrl'))] as const
    return {
      stores: [redisStore(used[0].options), redisStore(used[1].options)] as const,
      namespace: freshNamespace(),
      cleanup: () => {
        for (const { end } of used) end()
      },
    }
  }
  runCases(remoteStoreCases(makeStores), { test })
  runCases(engineCases(makeStores), { test })
})

/** Publishes in the words of the scripts: one letter, then a MessagePack list with large numbers as texts. */
const PUBLISH = `
local fields = cjson.decode(ARGV[3])
return redis.call('PUBLISH', ARGV[1], ARGV[2] .. cmsgpack.pack(fields))`

describe("redisStore's bus", () => {
  let publisher: Redis
  beforeAll(() => {
    publisher = new Redis(inject('redisUrl'))
  })
  afterAll(() => publisher.disconnect())

  runCases(
    busCases(() => {
      const url = inject('redisUrl')
      const stores = [redisStore({ url }), redisStore({ url })] as const
      return {
        buses: [busOf(stores[0]), busOf(stores[1])],
        namespace: freshNamespace(),
        publish: async (namespace, message) => {
          const fields = JSON.stringify(fieldsOf(message))
          const channel = await channelOf(publisher, namespace)
          await publisher.eval(PUBLISH, 0, channel, message.kind[0] ?? '', fields)
        },
        publishGarbage: async (namespace) => {
          await publisher.publish(await channelOf(publisher, namespace), 'neither fish nor fowl')
        },
        unreachable: () => busOf(redisStore({ url: 'redis://127.0.0.1:1' })),
      }
    }),
    { test },
  )
})

/** The one channel of a namespace that somebody listens to. */
async function channelOf(publisher: Redis, namespace: string): Promise<string> {
  const [channel] = (await publisher.pubsub('CHANNELS', `${namespace}:bus:*`)) as string[]
  if (channel === undefined) throw new Error('Nobody listens')
  return channel
}

function busOf({ bus }: RemoteStore): Bus {
  if (bus === undefined) throw new Error('There is no bus')
  return bus
}

function fieldsOf(message: BusMessage): readonly unknown[] {
  if (message.kind === 'wake') return [message.key]
  if (message.kind === 'keys') {
    const { partition, previous, seq, keys } = message
    return [partition, `${previous}`, `${seq}`, keys]
  }
  if (message.kind === 'doubt') {
    const { keys, tags, isRepeated, soft, sender } = message
    const fields = [keys, tags, isRepeated ? 1 : 0]
    // As older versions wrote them, too: without what comes last.
    if (sender !== undefined) return [...fields, soft ? 1 : 0, `${sender}`]
    return soft ? [...fields, 1] : fields
  }
  const { previous, version, floor, tags } = message
  return [`${previous}`, `${version}`, `${floor}`, tags]
}
