/** A program for jobs.test.ts: takes locks, says how it ended, and has nothing else that would keep it alive. */

import { type CacheManager, createCacheManager, quorumLocks } from '@larder/core'
import type { LockProvider } from '@larder/core/store'
import { lruStore } from '@larder/local-store'
import { redisLocks } from '@larder/redis-store'

const [, , kind = '', namespace = '', url = ''] = process.argv

function start(locks?: LockProvider): CacheManager {
  return createCacheManager({ namespace, local: lruStore(), ...(locks && { locks }) })
}

/** Within this process only: a lock whose term ends, one that waits its turn, a holder that hangs. */
async function takeTurns(): Promise<void> {
  const { locks } = start()
  const hung = await locks.acquire('a', { lease: 100, maxHold: 100 })
  await Promise.all([1, 2, 3].map(() => locks.run('a', { wait: '5s' }, () => undefined)))
  if (hung.remainingMs() > 0) throw new Error('it is still held')
}

async function fallBack(): Promise<void> {
  const { locks } = start(redisLocks({ url }))
  const options = { onUnavailable: 'local', wait: '5s' } as const
  for (let n = 0; n < 3; n++) await locks.run('a', options, () => undefined)
}

async function closeWhileAway(): Promise<void> {
  const caches = start(redisLocks({ url }))
  await caches.locks.acquire('a', { wait: 0 }).catch(() => undefined)
  await caches.close()
}

const jobs: Readonly<Record<string, () => Promise<unknown>>> = {
  locks: () => start(redisLocks({ url })).locks.run('step', { wait: '10s' }, () => undefined),
  quorum: () => {
    const providers = [1, 2, 3].map(() => redisLocks({ url }))
    return start(quorumLocks({ providers })).locks.run('step', { wait: '10s' }, () => undefined)
  },
  turn: takeTurns,
  'fall-back': fallBack,
  close: closeWhileAway,
}

await jobs[kind]?.().then(
  () => console.log('all steps ran'),
  (error: Error) => {
    console.log(`failed: ${error.name}`)
    process.exitCode = 1
  },
)
