// Vitest runs this once for every project of the workspace, each time as a fresh module in the same process,
// so what must exist once per run is kept on the process's global object.

import { Redis } from 'ioredis'
import type { TestProject } from 'vitest/node'
import { findSharedRedis } from './redis/find-redis.ts'
import { startRedis } from './redis/redis-server.ts'
import { SHARED_REDIS_URL } from './redis/shared-redis.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the Redis that all tests of the run share. */
    readonly redisUrl: string
  }
}

interface SharedRedis {
  readonly url: string
  readonly stop: () => Promise<void>
}

interface Run {
  users: number
  redis: Promise<SharedRedis>
}

const RUN = Symbol.for('larder.test.shared-redis')
const globals = globalThis as typeof globalThis & { [RUN]?: Run | undefined }

/**
 * Makes one Redis available to the whole run, and returns the function that stops it after the last project.
 *
 * @throws Error saying what to do, when there is no Redis
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  globals[RUN] ??= { users: 0, redis: open() }
  const run = globals[RUN]
  run.users++
  const { url, stop } = await run.redis
  project.provide('redisUrl', url)
  process.env[SHARED_REDIS_URL] = url
  return async () => {
    if (--run.users > 0) return
    globals[RUN] = undefined
    await stop()
  }
}

async function open(): Promise<SharedRedis> {
  const source = await findSharedRedis()
  if (source.kind === 'url') {
    await assertAnswers(source.url)
    return { url: source.url, stop: async () => {} }
  }
  const server = await startRedis()
  return { url: server.url, stop: () => server.stop() }
}

async function assertAnswers(url: string): Promise<void> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 3000,
    commandTimeout: 3000,
  })
  let reason: Error | undefined
  client.on('error', (error: Error) => {
    reason = error
  })
  try {
    await client.connect()
    await client.ping()
  } catch (error) {
    const why = reason ?? (error as Error)
    throw new Error(
      `REDIS_URL is set, but no Redis answers there (${why.message}). Start it, or unset REDIS_URL to have one started.`,
    )
  } finally {
    client.disconnect()
  }
}
