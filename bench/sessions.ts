/** What does a session cost: bytes in Redis, scripts for each call, and calls in a second? */

import { createCacheManager } from '@larder/core'
import { createSessions } from '@larder/plugins/sessions'
import { msgpackCodec, redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { line } from './report.ts'

interface Visit {
  userId: string
  csrf: string
  cart: readonly string[]
  visits: number
}

const MANY = 1_000
const CALLERS = 64

const visitOf = (userId: string): Visit => ({
  userId,
  csrf: 'Zx81kQ0aPp3mN7vYtR2sLw',
  cart: ['apple', 'pear'],
  visits: 7,
})

/** Prints a line for each of them. */
export async function sessions({
  url,
  isQuick,
}: {
  readonly url: string
  readonly isQuick: boolean
}): Promise<void> {
  const namespace = `bench-sessions-${process.pid}`
  const caches = createCacheManager({ namespace, remote: redisStore({ url }), default: false })
  const kept = createSessions<Visit>(caches, { userOf: ({ userId }) => userId })
  const client = new Redis(url)
  try {
    await kept.create(visitOf('warm'))
    await bytes(kept, client, namespace)
    await roundTrips(kept, client)
    await speed(kept, isQuick ? 2_000 : 40_000)
  } finally {
    await caches.close()
    client.disconnect()
  }
}

type Kept = ReturnType<typeof createSessions<Visit>>

async function bytes(kept: Kept, client: Redis, namespace: string): Promise<void> {
  const data = msgpackCodec().encode(visitOf('u-1')).length
  await kept.login(undefined, 'u-1', visitOf('u-1'))
  const keys = await client.keys(`{${namespace}:session:web:u*}:*`)
  const [key = ''] = keys
  const record = await client.strlen(key)
  const used = async (): Promise<number> => {
    const [, n = '0'] = /used_memory:(\d+)/.exec(await client.info('memory')) ?? []
    return Number(n)
  }
  const before = await used()
  for (let i = 0; i < MANY; i++) await kept.login(undefined, `m-${i}`, visitOf(`m-${i}`))
  const each = Math.round(((await used()) - before) / MANY)
  line('')
  line(
    `sessions: ${data} bytes of data are a record of ${record}; with keys and list ${each} bytes of Redis' memory for a session that is its user's only one`,
  )
}

async function roundTrips(kept: Kept, client: Redis): Promise<void> {
  const calls = async (): Promise<number> => {
    const [, n = '0'] = /cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats')) ?? []
    return Number(n)
  }
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await calls()
    await work()
    return (await calls()) - before
  }
  const { id } = await kept.create(visitOf('u-2'))
  const { id: other } = await kept.create(visitOf('u-2'))
  const counts = {
    get: await count(() => kept.get(id)),
    save: await count(() => kept.save(id, visitOf('u-2'))),
    touch: await count(() => kept.touch(id)),
    update: await count(() => kept.update(id, (data) => data)),
    login: await count(() => kept.login(id, 'u-2')),
    destroy: await count(() => kept.destroy(other)),
    'destroyAll of nothing': await count(() => kept.destroyAll('nobody')),
  }
  const words = Object.entries(counts).map(([name, n]) => `${name} ${n}`)
  line(`sessions: scripts for each call: ${words.join(', ')}`)
}

async function speed(kept: Kept, operations: number): Promise<void> {
  const ids: string[] = []
  for (let i = 0; i < CALLERS; i++) ids.push((await kept.create(visitOf(`s-${i}`))).id)
  const perSecond = async (work: (id: string, caller: number) => Promise<unknown>) => {
    const begun = performance.now()
    const loop = async (id: string, caller: number): Promise<void> => {
      for (let i = 0; i < operations / CALLERS; i++) await work(id, caller)
    }
    await Promise.all(ids.map(loop))
    return Math.round((operations / (performance.now() - begun)) * 1_000)
  }
  const get = await perSecond((id) => kept.get(id))
  const save = await perSecond((id, caller) => kept.save(id, visitOf(`s-${caller}`)))
  line(`sessions: ${CALLERS} callers: ${get} get and ${save} save in a second`)
}
