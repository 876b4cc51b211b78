/** What does a lock cost when it is free, and how long does one wait when it is not? (P10) */

import { createCacheManager } from '@larder/core'
import { redisLocks } from '@larder/redis-store'
import { Redlock } from '@sesamecare-oss/redlock'
import { Redis } from 'ioredis'
import { Mutex } from 'redis-semaphore'
import { type Contestant, compare, type Timed } from './harness.ts'

const LEASE_MS = 10_000
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

/** Takes a lock, runs the section, gives it back. */
interface Locker {
  readonly name: string
  run(key: string, section: () => Promise<void>): Promise<void>
}

/** Returns acquire + release of free locks: plain SET NX PX with a script to release, the peers, Larder. */
export async function freeLock(
  url: string,
  callers: number,
  operations: number,
  rounds: number,
): Promise<readonly Timed[]> {
  return withLockers(url, (lockers) =>
    compare(
      lockers.map(
        (locker): Contestant => ({
          name: locker.name,
          round: async () => {
            const each = Math.ceil(operations / callers)
            const loop = async (caller: number): Promise<void> => {
              for (let i = 0; i < each; i++)
                await locker.run(`free:${caller}`, async () => undefined)
            }
            await Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)))
            return each * callers
          },
        }),
      ),
      rounds,
    ),
  )
}

export interface Waiting {
  readonly name: string
  readonly p50Ms: number
  readonly p99Ms: number
  /** p99 over what the others' sections alone take. */
  readonly timesIdeal: number
}

/** Returns how long each waits for a lock that `contenders` want all the time and hold for `holdMs`. */
export async function contendedLock(
  url: string,
  contenders: number,
  holdMs: number,
  turns: number,
): Promise<readonly Waiting[]> {
  return withLockers(url, async (lockers) => {
    const results: Waiting[] = []
    for (const locker of lockers.slice(1)) {
      const waits: number[] = []
      const loop = async (): Promise<void> => {
        for (let i = 0; i < turns; i++) {
          const begun = performance.now()
          await locker.run('contended', async () => {
            waits.push(performance.now() - begun)
            await new Promise((resolve) => setTimeout(resolve, holdMs))
          })
        }
      }
      await Promise.all(Array.from({ length: contenders }, loop))
      waits.sort((a, b) => a - b)
      const p99Ms = waits[Math.floor(waits.length * 0.99)] ?? Number.NaN
      const p50Ms = waits[Math.floor(waits.length / 2)] ?? Number.NaN
      results.push({ name: locker.name, p50Ms, p99Ms, timesIdeal: p99Ms / (contenders * holdMs) })
    }
    return results
  })
}

async function withLockers<Result>(
  url: string,
  work: (lockers: readonly Locker[]) => Promise<Result>,
): Promise<Result> {
  const client = new Redis(url)
  await using caches = createCacheManager({
    namespace: 'bench-locks',
    locks: redisLocks({ url }),
    default: false,
  })
  // As its documentation sets it up, for one server; without it contenders would fail after ten tries.
  const redlock = new Redlock([client as never], { retryCount: -1 })
  const { locks } = caches
  const lockers: Locker[] = [
    {
      name: 'plain SET NX PX + script',
      async run(key, section) {
        const owner = Math.random().toString(36)
        await client.set(`plain:${key}`, owner, 'PX', LEASE_MS, 'NX')
        await section()
        await client.eval(RELEASE, 1, `plain:${key}`, owner)
      },
    },
    {
      name: 'redlock',
      async run(key, section) {
        const lock = await redlock.acquire([`redlock:${key}`], LEASE_MS)
        await section()
        await lock.release()
      },
    },
    {
      name: 'redis-semaphore Mutex',
      async run(key, section) {
        const mutex = new Mutex(client as never, `mutex:${key}`, { acquireTimeout: 60_000 })
        await mutex.acquire()
        await section()
        await mutex.release()
      },
    },
    {
      name: 'Larder: locks.acquire + release',
      async run(key, section) {
        const lock = await locks.acquire(key, { lease: LEASE_MS, wait: '1m' })
        await section()
        await lock.release()
      },
    },
  ]
  try {
    return await work(lockers)
  } finally {
    client.disconnect()
  }
}
