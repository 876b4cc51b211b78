import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ClusterClient, isCluster, type RedisClient } from './redis-client.ts'

const CLIENT = [
  'connect',
  'disconnect',
  'duplicate',
  'on',
  'off',
  'subscribe',
  'unsubscribe',
  'psubscribe',
  'punsubscribe',
  'ssubscribe',
  'sunsubscribe',
  'spublish',
  'select',
  'zrem',
  'call',
  'set',
  'publish',
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

  it('has a socket that can hold writes back, where there is a connection', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const client = new Redis({ port, retryStrategy: () => null, lazyConnect: true })
    client.on('error', () => undefined)
    onTestFinished(() => {
      client.disconnect()
      server.close()
    })
    const connecting = client.connect().catch(() => undefined)
    const [peer] = (await once(server, 'connection')) as [Socket]
    const { stream } = client as unknown as RedisClient
    expect(stream?.cork).toBeTypeOf('function')
    expect(stream?.uncork).toBeTypeOf('function')
    peer.destroy()
    await connecting
  })
})
