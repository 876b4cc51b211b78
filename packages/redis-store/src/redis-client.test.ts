import { Cluster, Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { type ClusterClient, isCluster, type RedisClient } from './redis-client.ts'

const CLIENT = [
  'connect',
  'disconnect',
  'duplicate',
  'on',
  'off',
  'pipeline',
  'subscribe',
  'ping',
  'scan',
  'mgetBuffer',
  'getrangeBuffer',
  'zscore',
  'zmscore',
  'time',
  'evalBuffer',
  'evalshaBuffer',
] as const satisfies readonly (keyof RedisClient)[]

describe('the client surface', () => {
  it('is there in Redis and Cluster of ioredis', () => {
    const redis = new Redis({ lazyConnect: true }) as unknown as RedisClient
    const cluster = new Cluster([{ host: 'a', port: 1 }], { lazyConnect: true })
    const clusterClient = cluster as unknown as ClusterClient
    for (const name of CLIENT) {
      expect(redis[name], name).toBeTypeOf('function')
      expect(clusterClient[name], name).toBeTypeOf('function')
    }
    expect([redis.status, clusterClient.status]).toEqual(['wait', 'wait'])
    expect([isCluster(redis), isCluster(clusterClient)]).toEqual([false, true])
    expect(clusterClient.slots).toEqual([])
    expect(clusterClient.nodes('master')).toEqual([])
  })

  it('is there in its pipelines', () => {
    const pipeline = new Redis({ lazyConnect: true }).pipeline() as unknown as RedisClient
    for (const name of CLIENT.slice(9)) expect(pipeline[name], name).toBeTypeOf('function')
  })
})
