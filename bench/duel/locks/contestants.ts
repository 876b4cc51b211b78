/** Locks that fight: each holds a lock around some work, in the words of its own documentation. */

import { createCacheManager } from '@larder/core'
import { redisLocks } from '@larder/redis-store'
import { Redlock, type RedlockAbortSignal } from '@sesamecare-oss/redlock'
import { Redis } from 'ioredis'
import { Mutex } from 'redis-semaphore'

/** What the work under a lock is told. */
export interface HeldView {
  /** What a check says now, without a question to Redis. */
  believes(): boolean
  /** Calls back when the lock is said to be lost. */
  onLost(tell: () => void): void
  readonly fence: number | undefined
}

export interface LockTerms {
  readonly leaseMs: number
  readonly waitMs: number
}

/** One process' end of the locks, with a connection of its own. */
export interface LockContestant {
  run(key: string, terms: LockTerms, work: (held: HeldView) => Promise<void>): Promise<void>
  close(): Promise<void>
}

export interface LockEntry {
  readonly name: string
  start(url: string): LockContestant
}

export const LOCKERS: readonly LockEntry[] = [
  { name: 'Larder', start: larder },
  // https://github.com/sesamecare/redlock#usage
  { name: 'redlock', start: redlock },
  // https://github.com/swarthy/redis-semaphore#mutex
  { name: 'redis-semaphore Mutex', start: mutex },
]

function larder(url: string): LockContestant {
  const caches = createCacheManager({
    namespace: 'duel',
    locks: redisLocks({ url }),
    default: false,
  })
  return {
    run: (key, { leaseMs, waitMs }, work) =>
      caches.locks.run(key, { lease: leaseMs, wait: waitMs }, (lock) =>
        work({
          believes: () => lock.remainingMs() > 0,
          onLost: (tell) => lock.signal.addEventListener('abort', tell),
          fence: lock.fence,
        }),
      ),
    close: () => caches.close(),
  }
}

const RETRY_MS = 200

function redlock(url: string): LockContestant {
  const client = quiet(new Redis(url))
  return {
    run(key, { leaseMs, waitMs }, work) {
      const retryCount = Math.ceil(waitMs / RETRY_MS)
      const locks = new Redlock([client as never], { retryCount, retryDelay: RETRY_MS })
      return locks.using([key], leaseMs, {}, (signal: RedlockAbortSignal) =>
        work({
          believes: () => !signal.aborted,
          onLost: (tell) => signal.addEventListener('abort', tell),
          fence: undefined,
        }),
      )
    },
    close: async () => client.disconnect(),
  }
}

function mutex(url: string): LockContestant {
  const client = quiet(new Redis(url))
  return {
    async run(key, { leaseMs, waitMs }, work) {
      const tells: (() => void)[] = []
      const lock = new Mutex(client as never, key, {
        lockTimeout: leaseMs,
        acquireTimeout: waitMs,
        onLockLost: () => {
          for (const tell of tells) tell()
        },
      })
      await lock.acquire()
      try {
        await work({
          believes: () => lock.isAcquired,
          onLost: (tell) => tells.push(tell),
          fence: undefined,
        })
      } finally {
        await lock.release()
      }
    },
    close: async () => client.disconnect(),
  }
}

/** What a client says of its connection is no matter here. */
function quiet(client: Redis): Redis {
  client.on('error', () => undefined)
  return client
}
