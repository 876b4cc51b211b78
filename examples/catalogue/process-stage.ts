/** Two processes and a Redis: node A is this process, node B one of its own. */

import { fork } from 'node:child_process'
import { redisStore } from '@larder/redis-store'
import { createCaches } from './caches.ts'
import type { Database } from './database.ts'
import type { OwnRedis } from './own-redis.ts'
import { connectPeer, type Peer } from './peer.ts'
import type { Stage } from './stage.ts'
import type { Watched } from './watch.ts'

/** `own`: the Redis is the demo's own, and may be stopped. Node B's database is this process's. */
export async function startProcessStage(
  url: string,
  own: OwnRedis | undefined,
  database: Database,
): Promise<Stage> {
  const child = fork(new URL('node-b.ts', import.meta.url), {
    execArgv: process.execArgv,
    env: { ...process.env, CATALOGUE_REDIS: url },
    serialization: 'advanced',
  })
  process.on('exit', () => child.kill('SIGKILL'))
  let report!: (watched: Watched) => void
  const watchedByB = new Promise<Watched>((resolve) => {
    report = resolve
  })
  const nodeB = await new Promise<Peer>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`Node B ended with ${code}`)))
    const peer: Peer = connectPeer(child, {
      ready: async () => resolve(peer),
      query: (sql: string, params: readonly unknown[]) => database.query(sql, params),
      watched: async (watched: Watched) => report(watched),
    })
  })
  const caches = createCaches(redisStore({ url }))
  // A Redis that is not new has values of an earlier demo, whose database is gone.
  await caches.clear()
  return {
    about: 'Two processes and a Redis',
    caches,
    nodeB,
    watchedByB,
    shared: own,
    close: async () => {
      await nodeB.ask('close')
      await caches.close()
      await own?.stop()
    },
  }
}
