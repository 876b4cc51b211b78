/** One Redis for all tests that only need one: `REDIS_URL`, or a server of our own. */

import type { TestProject } from 'vitest/node'
import { startRedis } from './redis-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['REDIS_URL']
  if (given !== undefined && given !== '') {
    project.provide('redisUrl', given)
    return async () => undefined
  }
  const server = await startRedis()
  project.provide('redisUrl', server.url)
  return () => server.stop()
}
