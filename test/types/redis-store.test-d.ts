/** What redisStore takes of ioredis: its own options and clients, of both versions, and nothing else. */

import { redisStore } from '@larder/redis-store'
import type { Cluster, ClusterNode, Redis, RedisOptions } from 'ioredis'
import type { Cluster as Cluster5, Redis as Redis5, RedisOptions as RedisOptions5 } from 'ioredis5'

declare const redis: Redis
declare const cluster: Cluster
declare const redis5: Redis5
declare const cluster5: Cluster5
declare const options: RedisOptions
declare const options5: RedisOptions5
declare const nodes: readonly { readonly host: string; readonly port: number }[]
declare const clusterNode: ClusterNode

for (const client of [redis, cluster, redis5, cluster5, redis.duplicate()]) redisStore({ client })
redisStore({ client: redis, pingEvery: '1s' })
redisStore({ client: cluster5 })

redisStore({ options: { host: 'a', port: 6379, tls: { rejectUnauthorized: false } } })
redisStore({ options: { path: '/run/redis.sock', family: 6 } })
redisStore({ options: { sentinels: [{ host: 'a', port: 1 }], name: 'm', sentinelPassword: 'p' } })
redisStore({ url: 'redis://a', options: { username: 'u', password: 'p', connectionName: 'n' } })
redisStore({ url: process.env['REDIS_URL'], options: undefined })
redisStore({ cluster: nodes, options: { password: 'p' } })
// What an application has for its other clients; what is set by the store itself does not count.
redisStore({ options })
redisStore({ options: options5 })

// @ts-expect-error -- not an option of ioredis
redisStore({ options: { hots: 'x' } })
// @ts-expect-error -- of another type
redisStore({ options: { port: 'x' } })
// @ts-expect-error -- keys are the namespace's
redisStore({ options: { keyPrefix: 'x:' } })
// @ts-expect-error -- deadlines are the store's
redisStore({ options: { commandTimeout: 100 } })
// @ts-expect-error -- beside options instead of in it
redisStore({ host: 'x' })
// @ts-expect-error -- not a client
redisStore({ client: {} })
// @ts-expect-error -- options, not a client
redisStore({ client: { host: 'x', port: 1 } })
// @ts-expect-error -- a client, not options
redisStore(redis)
// @ts-expect-error -- a port alone is not enough
redisStore({ cluster: [clusterNode] })
